/** A checked clip -> what is said of it: facts and estimate apart. Pure. */
import type { ClipTexts } from "./clip-strings";
import { duration } from "./format";
import type { ClipMessage, State } from "./wire";

/** What of the content credentials is said, and how much it weighs. */
export type Fact = "generated" | "signed" | "changed" | "expired" | "unreadable" | "absent";

/** Return the fact that a file's content credentials are. */
export function factOf(clip: ClipMessage): Fact | null {
  const found = clip.credentials;
  if (!found) return null;
  if (found.state !== "intact") return found.state;
  return found.is_generated ? "generated" : "signed";
}

/** Return the state to show: facts that a machine made it weigh more than any estimate. */
export function shown(clip: ClipMessage): State {
  return clip.said ?? "undecided";
}

/** Return the one big sentence of a clip. */
export function headline(clip: ClipMessage, texts: ClipTexts): string {
  const [mark] = clip.marks;
  if (mark) return texts.mark(mark.generator, mark.pictures, mark.of);
  if (clip.invisible_mark) return texts.invisible(clip.invisible_mark);
  if (factOf(clip) === "generated") return texts.fact.generated;
  const state = shown(clip);
  if (state === "suspect" && clip.answer?.state !== "suspect") return texts.named;
  return clip.is_still && state === "undecided" ? texts.still : texts.headline[state];
}

/** Return what the container says of how the file was made, in words. */
export function traceTexts(clip: ClipMessage, texts: ClipTexts): string[] {
  return clip.traces.map(({ kind, text }) => texts.trace[kind](text));
}

/** Return what carried an alert, in words. */
export function carriers(clip: ClipMessage, texts: ClipTexts): string {
  const over = (clip.answer?.signals ?? []).filter(({ state }) => state === "spoof" || state === "suspect");
  return [...new Set(over.map(({ signal }) => texts.signals[signal]))].join(", ");
}

/** Return how much of the clip was judged, in words. */
export function looked(clip: ClipMessage, texts: ClipTexts): string {
  const coverage = clip.answer?.coverage;
  return coverage ? texts.looked(duration(coverage.face_s), duration(coverage.speech_s), duration(coverage.call_s)) : "";
}
