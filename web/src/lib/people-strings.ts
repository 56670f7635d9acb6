/** The texts on people who are known and on ways to make sure, in the reader's language. */
import { language } from "./language";
import { TEXTS } from "./texts";

export const { PEOPLE, PERSON, ENROL, SURE, ALIKE, FACES, ANSWER } = TEXTS[language].people;
