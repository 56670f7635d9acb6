/** A checked clip -> what is said of it: facts and estimate apart. Pure. */
import type { ClipTexts } from "./clip-strings";
import { duration } from "./format";
import type { ClipMessage } from "./wire";

/** What of the content credentials is said, and how much it weighs. */
export type Fact = "generated" | "signed" | "changed" | "expired" | "unreadable" | "absent";

/** Return the fact that a file's content credentials are. */
export function factOf(clip: ClipMessage): Fact | null {
  const found = clip.credentials;
  if (!found) return null;
  if (found.state !== "intact") return found.state;
  return found.is_generated ? "generated" : "signed";
}

/** Return the state to show: that the file itself says so is more than any estimate, and never less than an alert. */
export function shown(clip: ClipMessage): "undecided" | "bona_fide" | "suspect" | "spoof" {
  if (factOf(clip) === "generated" || clip.marks.length) return "spoof";
  return clip.answer?.state ?? "undecided";
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
