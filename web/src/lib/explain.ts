/** What is known of a call -> the sentences of its panel. Pure. */
import { duration, nat } from "./format";
import { strongest, type Grid } from "./heat";
import type { Call } from "./store";
import { COVERAGE, HEAT, MADE, NEXT, REASON, WHY, adviceText, signalName } from "./strings";
import type { CoverageMessage, ExplanationMessage, FaceExplanationMessage, Reason, Signal, SignalMessage, State, Trait, TraitMessage, VoiceExplanationMessage } from "./wire";

/** Less than this is not worth a line [s]. */
const LEAST_MISSED_S = 0.5;

/** After so long without a word, the sound is probably off [s]. */
const UNHEARD_S = 8;

const PERCENT: ReadonlySet<Trait> = new Set(["repeated", "still", "digital_zero"]);
const MILLIONTHS: ReadonlySet<Trait> = new Set(["clock_rate", "clocks_apart"]);
const percent = (share: number): string => whole(100 * share);
const whole = (value: number): string => value.toFixed(0);

/** What green rests on; lips that fit the voice vouch for nobody. */
const VOUCHING: readonly Signal[] = ["face", "voice"];

/** Return the state to show: while an alert stands the call is red, whatever the newest window says. */
export function shownState(call: Call): State {
  return call.alert ? "spoof" : call.state;
}

/** Return why the call is in its state. */
export function why(call: Call): string {
  const signals = call.verdict?.signals ?? call.alert?.signals ?? [];
  switch (shownState(call)) {
    case "spoof":
      return whySpoof(call, signals);
    case "suspect": {
      const names = namesOf(signals, ["suspect", "spoof"]);
      return names ? WHY.suspect(names) : WHY.suspectPlain;
    }
    case "bona_fide":
      return whyBonaFide(signals);
    case "undecided":
      return whyUndecided(call);
  }
}

/** Return what the reader should do now. */
export function nextStep(call: Call): string {
  if (call.alert) return adviceText(call.alert.advice);
  if (call.state !== "undecided") return NEXT[call.state];
  switch (call.verdict?.reason) {
    case "no_face":
    case "no_mouth":
      return NEXT.noFace;
    case "small_face":
      return NEXT.smallFace;
    case "blurred":
      return NEXT.blurred;
    case "pose":
      return NEXT.pose;
    case "exposure":
      return NEXT.exposure;
    case "occluded":
      return NEXT.occluded;
    case "silence":
      return NEXT.silence;
    case "noise":
      return NEXT.noise;
    case "band_limited":
      return NEXT.dull;
    case "clipped":
      return NEXT.clipped;
    case "music":
      return NEXT.music;
    case "overload":
    case "error":
      return NEXT.busy;
    default:
      return NEXT.undecided;
  }
}

/** Whether a call has gone on for a while without a word of the other side. */
export function isUnheard(call: Call): boolean {
  const coverage = call.verdict?.coverage;
  if (!coverage || coverage.call_s < UNHEARD_S || coverage.speech_s >= 1) return false;
  return (call.verdict?.signals ?? []).some(({ signal, reason }) => signal === "voice" && reason === "silence");
}

/** Return the signals to show: that no face is in the picture matters only while there is none. */
export function shownSignals(signals: readonly SignalMessage[]): SignalMessage[] {
  const hasFace = signals.some((signal) => signal.signal === "face" && signal.track > 0);
  // An ordinary pipeline says nothing, and would only be one more bar at zero.
  const said = signals.filter(({ signal, evidence_nat }) => signal !== "pipeline" || evidence_nat > 0);
  return said.filter((signal) => signal.signal !== "face" || signal.track > 0 || !hasFace);
}

/** What a small card shows only when something is wrong with it. */
const QUIET: readonly Signal[] = ["sync", "pipeline"];

/** Return the signals for a small card. */
export function briefSignals(signals: readonly SignalMessage[]): SignalMessage[] {
  return shownSignals(signals).filter(({ signal, state }) => !QUIET.includes(signal) || state === "suspect" || state === "spoof");
}

/** Return the name of a signal within its call. */
export function nameIn(signal: SignalMessage, signals: readonly SignalMessage[]): string {
  const several = signals.filter((other) => other.signal === signal.signal).length > 1;
  return signalName(signal.signal, signal.track, several);
}

/** Return what a signal's bar says beside its number. */
export function signalWords(signal: SignalMessage): string {
  const silent = signal.reason && signal.state !== "spoof";
  return silent
    ? WHY.cannot(REASON[signal.reason as NonNullable<SignalMessage["reason"]>])
    : (signal.signal === "sync" ? WHY.syncState : WHY.signalState)[signal.state];
}

/** Return the newest explanation of a face of the alert that stands; without one, of the last that a face carried. */
export function explanationOf(call: Call): FaceExplanationMessage | null {
  return newest(call, call.events.filter((event) => event.type === "explanation"));
}

/** Return the same of the voice. */
export function voiceExplanationOf(call: Call): VoiceExplanationMessage | null {
  return newest(call, call.events.filter((event) => event.type === "voice_explanation"));
}

/** Return in words where the heat of an explanation is strongest. */
export function whereHot(grid: Grid): string {
  const found = strongest(grid);
  if (found.kind !== "place") return HEAT[found.kind];
  const zone = found.feature === "outside" ? HEAT.outsideZone : HEAT.zone;
  return HEAT.place(zone(found.row, found.column), HEAT.feature[found.feature]);
}

/** Return in words what is unusual in how picture and sound were made, the rarest first. */
export function madeLines(traits: readonly TraitMessage[]): string[] {
  return traits
    .filter((trait) => trait.is_unusual)
    .sort((a, b) => (a.p ?? 1) - (b.p ?? 1))
    .map(({ trait, value }) => MADE.trait[trait](PERCENT.has(trait) ? percent(value) : MILLIONTHS.has(trait) ? whole(value) : nat(value)));
}

function newest<T extends ExplanationMessage>(call: Call, explained: readonly T[]): T | null {
  return explained.findLast((event) => !call.alert || event.alert === call.alert.id) ?? null;
}

function whySpoof(call: Call, signals: readonly SignalMessage[]): string {
  const names = namesOf(signals, ["spoof"]);
  if (names) return WHY.spoof(names);
  return call.verdict && call.verdict.state !== "spoof" ? WHY.faded : WHY.spoofPlain;
}

/** Green rests on what was judged, so it names what was not. */
function whyBonaFide(signals: readonly SignalMessage[]): string {
  const vouching = signals.filter((signal) => VOUCHING.includes(signal.signal));
  const judged = namesOf(vouching, ["bona_fide"]);
  const unjudged = VOUCHING.filter((name) => !signals.some((s) => s.signal === name && s.state !== "undecided"));
  const missing = unjudged.map((name) => WHY.ofSignal[name]).join(WHY.and);
  return [judged ? WHY.bonaFide(judged) : WHY.bonaFidePlain, missing && WHY.unjudged(missing)]
    .filter(Boolean)
    .join(" ");
}

function whyUndecided(call: Call): string {
  if (!call.verdict) return call.endedAt ? WHY.noSignals : WHY.waiting;
  return call.verdict.reason ? WHY.undecided(REASON[call.verdict.reason]) : WHY.waiting;
}

function namesOf(signals: readonly SignalMessage[], states: readonly State[]): string {
  const names = signals.filter((signal) => states.includes(signal.state)).map((signal) => WHY.ofSignal[signal.signal]);
  return [...new Set(names)].join(WHY.and);
}

/** From here on a longer stretch of speech is said to lean to one side [nat]: odds of about three to two. */
const LEAN_NAT = 0.4;

/** What the newest stretch of speech says as a whole. */
export function longWords(seconds: number, llr: number): string {
  if (llr <= -LEAN_NAT) return WHY.longSpoof(seconds);
  return llr >= LEAN_NAT ? WHY.longBonaFide(seconds) : WHY.longOpen(seconds);
}

/** Return what of a call was not analysed and why, longest first; stretches under half a second are left out. */
export function missedLines(coverage: CoverageMessage): string[] {
  const face = Object.entries(coverage.face_missed_s).map(([why, s]) => ({ s, why, say: COVERAGE.missedFace }));
  const speech = Object.entries(coverage.speech_missed_s).map(([why, s]) => ({ s, why, say: COVERAGE.missedSpeech }));
  return [...face, ...speech]
    .filter(({ s }) => s >= LEAST_MISSED_S)
    .sort((a, b) => b.s - a.s)
    .map(({ s, why, say }) => say(duration(s), REASON[why as Reason]));
}
