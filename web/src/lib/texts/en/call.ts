/** What is said of a call. */
import type { Column, Feature, Row } from "../../heat";
import type { Reason, Signal, State, Trait } from "../../wire";
import { days } from "./numbers";

export const UNITS = { second: "s", minute: "min", hour: "h" };

export const STATE: Record<State, { word: string; headline: string }> = {
  undecided: { word: "Undecided", headline: "Not enough to judge yet" },
  bona_fide: { word: "Clear so far", headline: "No sign of manipulation" },
  suspect: { word: "Suspect", headline: "Something is off" },
  spoof: { word: "Alert", headline: "Machine-made face or voice likely" },
};

export const REASON: Record<Reason, string> = {
  no_face: "no face is in the picture",
  small_face: "the face is too small or too far away",
  blurred: "the face is blurred",
  pose: "the face is turned away from the camera",
  exposure: "the face is too dark or too bright",
  occluded: "something covers part of the face",
  no_mouth: "the mouth is hidden or does not move",
  silence: "nobody is speaking",
  noise: "too much noise to hear the voice",
  band_limited: "the sound is too dull to judge, duller than on a telephone",
  clipped: "the sound is too loud and distorted",
  music: "music or tones cover the voice",
  lost: "sound or picture is getting lost on the way",
  overload: "the service is too busy to keep up",
  error: "the analysis failed for a moment",
};

export const SIGNAL: Record<Signal, string> = { face: "Face", voice: "Voice", sync: "Lips and voice", challenge: "Active check", pipeline: "Signal source" };

export const WHY = {
  title: "Why",
  waiting: "The first few seconds of face and speech are still coming in.",
  noSignals: "Nothing has been judged yet.",
  undecided: (reason: string): string => `Cannot judge: ${reason}.`,
  bonaFide: (names: string): string => `No traces of a generator in ${names}, in what was analysed.`,
  bonaFidePlain: "No traces of a generator in what was analysed.",
  unjudged: (names: string): string => `Not judged: ${names}.`,
  suspect: (names: string): string => `Evidence is building in ${names}, but not enough for an alert.`,
  suspectPlain: "Evidence is building, but not enough for an alert.",
  spoof: (names: string): string => `The evidence in ${names} has crossed the alert line.`,
  spoofPlain: "The evidence has crossed the alert line.",
  faded: "The evidence is back below the line, but the alert stands until it has faded.",
  and: " and ",
  ofSignal: { face: "the face", voice: "the voice", sync: "the match of lips and voice", challenge: "the active check", pipeline: "how picture and sound were made" } satisfies Record<Signal, string>,
  signalState: {
    undecided: "gathering",
    bona_fide: "no sign",
    suspect: "building",
    spoof: "over the line",
  } satisfies Record<State, string>,
  /** That lips fit the voice is no sign of a genuine call: lip-syncs are made to fit. */
  syncState: {
    undecided: "no clear match yet",
    bona_fide: "they fit, which proves nothing by itself",
    suspect: "they do not fit",
    spoof: "they do not fit",
  } satisfies Record<State, string>,
  evidence: (value: string, threshold: string): string => `${value} of ${threshold}`,
  meterLabel: (name: string): string => `${name}: evidence for a machine-made source`,
  meterText: (value: string, threshold: string, words: string): string =>
    `${value} of ${threshold} needed for an alert; ${words}`,
  cannot: (reason: string): string => `cannot judge now: ${reason}`,
  longSpoof: (seconds: number): string => `Last ${seconds} s of speech taken together: more like a machine-made voice`,
  longBonaFide: (seconds: number): string => `Last ${seconds} s of speech taken together: more like a real voice`,
  longOpen: (seconds: number): string => `Last ${seconds} s of speech taken together: no lean either way`,
  meterHelp: "Bars show gathered evidence. The mark is the alert line.",
};

/** How picture and sound were made; `value` is a number as the trait's unit has it. */
export const MADE = {
  title: "How picture and sound were made",
  help: "Weak signs that have innocent causes too. All of them together count a little towards an alert.",
  trait: {
    repeated: (v: string): string => `${v} % of the pictures only repeat the one before`,
    interpolated: (): string => "pictures look computed from their neighbours",
    still: (v: string): string => `${v} % of the picture stands perfectly still while the rest moves`,
    pumping: (): string => "the picture grows sharper at a regular beat, as in a recording",
    digital_zero: (v: string): string => `${v} % of the pauses are perfectly silent, as no room is`,
    band_edge: (): string => "the sound ends abruptly at a pitch where calls do not cut it",
    mirrored: (): string => "high tones mirror low ones, as after a careless conversion",
    even_clock: (): string => "the pictures are timed as evenly as those of a file",
    clock_rate: (v: string): string => `the sound's clock runs ${v} millionths off ours`,
    clocks_apart: (v: string): string => `the clocks of picture and sound run ${v} millionths apart`,
    key_picture: (v: string): string => `asked for a fresh picture, the sender took ${v} s or more`,
    rate_kept: (v: string): string => `asked to send less, the sender went on with ${v} times as much`,
  } satisfies Record<Trait, (value: string) => string>,
};

export const NEXT = {
  title: "What to do next",
  undecided: "Let the call go on. Ask the other person to face the camera and to speak in full sentences.",
  noFace: "Ask the other person to switch on the camera and to come closer to it, in good light.",
  smallFace: "Ask the other person to come closer to the camera.",
  blurred: "Ask the other person to hold still and to wipe the camera. A better connection or more light helps too.",
  pose: "Ask the other person to look straight into the camera.",
  exposure: "Ask the other person for more light from the front, and for no window or lamp behind the head.",
  occluded: "Ask the other person to take away what covers the face: a hand, a mask, a microphone.",
  silence: "Let the other person speak: a few full sentences are enough.",
  noise: "Ask the other person to go to a quieter place, or to speak closer to the microphone.",
  dull: "Ask the other person to uncover the microphone, or to use another one.",
  clipped: "Ask the other person to speak further from the microphone, or to turn its level down.",
  music: "Ask the other person to turn music off and to speak, not to sing.",
  busy: "Wait a moment, or end another call that is being checked.",
  bona_fide: "Stay as careful as in any call. No sign is not a proof that all is genuine.",
  suspect:
    "Do not act on any request yet. Ask the person to turn the head to the side and to pass a hand slowly before the face.",
  spoof: "Do not send money or codes. Call the person back on a number you already know.",
};

export const COVERAGE = {
  title: "What was analysed",
  text: (face: string, speech: string, call: string): string =>
    `${face} of face and ${speech} of speech of a ${call} call`,
  none: "Nothing yet",
  missedTitle: "Not analysed",
  missedFace: (seconds: string, reason: string): string => `${seconds} of picture: ${reason}`,
  missedSpeech: (seconds: string, reason: string): string => `${seconds} of sound: ${reason}`,
  droppedTitle: "Lost on the way",
  dropped: (pictures: number, windows: number, audioS: string): string =>
    `${pictures} ${pictures === 1 ? "picture" : "pictures"}, ${windows} ${windows === 1 ? "window" : "windows"}, ${audioS} s of sound`,
};

export const TIMELINE = {
  title: "Timeline",
  evidence: "Evidence gathered",
  together: "Together",
  evidenceHelp: "Up = more evidence that it is machine-made. An alert is raised at the line.",
  llr: "Newest moments",
  llrHelp: "Above 0 = looks genuine. Below 0 = looks machine-made. A gap = could not be judged.",
  face: "Face",
  voice: "Voice",
  threshold: "Alert line",
  alerted: "Alert",
  suspect: "Suspect",
  empty: "The chart starts with the first analysed seconds.",
  label: (call: string, evidence: string, threshold: string, alerted: string): string =>
    `Timeline of ${call}. Strongest evidence now ${evidence}; the alert line is at ${threshold}. Time under alert: ${alerted}.`,
};

export const HEAT = {
  title: "Where it looks machine-made",
  lead: (face: string, at: string, where: string): string => `${face} at ${at} of the call: ${where}.`,
  none: "no place stands out by itself",
  even: "all of the picture looks machine-made, no part of it more than another",
  place: (zone: string, feature: string): string => `the heat is strongest ${zone}, ${feature}`,
  zone: (row: Row, column: Column): string =>
    row === "middle" && column === "centre" ? "in the middle of the face" : `in the ${row} ${column} of the face`,
  outsideZone: (row: Row, column: Column): string =>
    row === "middle" && column === "centre" ? "in the middle of the picture" : `in the ${row} ${column} of the picture`,
  feature: {
    forehead: "on the forehead",
    eyes: "around the eyes",
    eyeLeft: "around the eye on the left",
    eyeRight: "around the eye on the right",
    nose: "around the nose",
    cheekLeft: "on the cheek on the left",
    cheekRight: "on the cheek on the right",
    mouth: "around the mouth",
    chin: "on the chin",
    edge: "at the edge of the face",
    outside: "beside the face",
  } satisfies Record<Feature, string>,
  hint: "This is a hint and no proof: it shows what the detector went by. It can be wrong, and a genuine face can have hot places too.",
  toggle: "Show the heat map",
  legend: "Colour of the heat map",
  little: "a little",
  strongly: "strongly",
  nowhere: "No colour: nothing there looks machine-made.",
  ring: "The ring marks the strongest place.",
  alt: (what: string, where: string): string => `${what}; ${where}.`,
  altFace: "The face with its heat map",
  altOutline: "A drawn outline of a face with the heat map",
  loading: "Fetching the picture…",
  gone: "The picture of the face is no longer held. The outline shows where its parts would be.",
  failed: "The picture of the face cannot be fetched now. The outline shows where its parts would be.",
  held: "The picture is in the service's memory only and is never stored.",
  kept: (faceDays: number): string => `The service deletes the picture after ${days(faceDays)}.`,
};

export const SOURCE: Record<string, string> = {
  whip: "browser",
  webrtc: "browser",
  websocket: "sound stream",
  twilio: "telephone",
  file: "recording",
};

export const CAUSE: Record<string, string> = {
  "service stopped": "the service was stopped",
  "internal error": "an error in the service",
  "hung up": "hung up",
  "peer vanished": "peer vanished",
  "not connected": "not connected",
  "no media": "no media",
  "longest call reached": "longest call reached",
  bye: "bye",
  "the sender went away": "the sender went away",
  "ended by the service": "ended by the service",
  refused: "refused",
  closed: "closed",
};
