/** What the pages say of active checks. */
import type { CheckMessage } from "../../wire";

type Kind = CheckMessage["kind"];
type Step = CheckMessage["steps"][number];

export const ACTIVE = {
  title: "Ask the other side to do something",
  lead: "A fake often breaks when it has to do something that nobody could prepare. Choose one, say it in your own words, and watch.",
  propose: "Suggested now",
  other: "Others",
  name: {
    turn: "Turn the head",
    look: "Look up and down",
    cover: "Hand across the face",
    closer: "Come closer and lean back",
    lamp: "Switch a lamp",
    code: "Say digits",
    hum: "Hum a gliding tone",
    whisper: "Whisper digits",
    clap: "Clap the hands",
    light: "Coloured light",
  } satisfies Record<Kind, string>,
  say: {
    turn: (steps: string): string => `“Please turn your head and come back each time: ${steps}.”`,
    look: (steps: string): string => `“Please look, and come back each time: ${steps}.”`,
    cover: (steps: string): string => `“Please pass your hand slowly before your face, all of it: ${steps}.”`,
    closer: (steps: string): string => `“Please move, and come back each time: ${steps}.”`,
    lamp: (steps: string): string =>
      `“Please switch a lamp near you, or a phone’s torch held towards your face, on and off again: ${steps}.”`,
    code: (code: string): string => `“Please say these digits one by one: ${code}.”`,
    hum: (steps: string): string => `“Please hum a tone that glides, with a pause between: ${steps}.”`,
    whisper: (code: string): string => `“Please whisper these digits: ${code}.”`,
    clap: (steps: string): string => `“Please clap your hands: ${steps}.”`,
    light: (): string => `“Please stay close to your screen and look at it: it will show colours for ten seconds.”`,
  } satisfies Record<Kind, (text: string) => string>,
  step: {
    left: "to the left",
    right: "to the right",
    up: "up",
    down: "down",
    hand: "once",
    near: "close to the camera",
    far: "back from it",
    lamp: "on and off",
    glide_up: "from low to high",
    glide_down: "from high to low",
    clap: "clap",
    digit: "a digit",
  } satisfies Record<Step, string>,
  times: (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`),
  left: (seconds: number): string => `${seconds} s left`,
  judging: "Judging…",
  instead: (name: string): string => `They cannot do that? Try instead: ${name}.`,
  outcome: {
    followed: "Done as asked, and nothing broke.",
    broken: "Something broke while they did it, as it does in a fake.",
    not_followed: "Not done as asked. That is no sign of a fake by itself: they may have misheard or be unable.",
    unseen: "It could not be seen or heard.",
  } satisfies Record<CheckMessage["outcome"], string>,
  when: (from: string, to: string): string => `Seen from ${from} to ${to} of the call.`,
  latency: (seconds: string): string => `First reaction after ${seconds} s.`,
  effect: (before: string, after: string): string => `Evidence for a fake: ${before} before, ${after} after.`,
  noEffect: "It changes the evidence by nothing.",
  passed: "That it was passed proves nothing: better fakes pass.",
  failed: (detail: string): string => `That could not be asked: ${detail}`,
  log: (name: string, outcome: string): string => `Check “${name}”: ${outcome}`,
};
