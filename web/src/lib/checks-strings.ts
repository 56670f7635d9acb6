/** The texts on active checks, in the reader's language. */
import { language } from "./language";
import { TEXTS } from "./texts";
import type { AskedMessage } from "./wire";

export const { ACTIVE } = TEXTS[language].checks;

/** Return what to say to the other side. */
export function sayText({ kind, steps, code }: Pick<AskedMessage, "kind" | "steps" | "code">): string {
  if (kind === "code" || kind === "whisper") return ACTIVE.say[kind]([...code].join(" "));
  if (kind === "light") return ACTIVE.say.light();
  if (kind === "clap" || kind === "cover" || kind === "lamp") return ACTIVE.say[kind](ACTIVE.times(steps.length));
  return ACTIVE.say[kind](steps.map((step) => ACTIVE.step[step]).join(", "));
}
