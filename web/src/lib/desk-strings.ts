/** The texts of the fraud desk, in the reader's language. */
import { language } from "./language";
import { TEXTS } from "./texts";

export const { DESK, FILTER, QUEUE, STATUS, ACT, DETAIL, HELP, STATS, DEED } = TEXTS[language].desk;
