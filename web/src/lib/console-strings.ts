/** The texts of the agent's console, in the reader's language. */
import { language } from "./language";
import { TEXTS } from "./texts";

export const { CONSOLE, INVITE, LIVE, HAND } = TEXTS[language].console;
