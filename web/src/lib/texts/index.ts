/** All texts in all languages. English is the shape that the others must have. */
import type { Language } from "../language";
import * as en from "./en";
import * as kk from "./kk";
import * as ru from "./ru";

export type Texts = typeof en;

export const TEXTS: Readonly<Record<Language, Texts>> = { kk, ru, en };
