/** Every text of the pages. Another language is another file of this shape. */
import type { Column, Feature, Row } from "./heat";
import type { AlertLabel, AlertMessage, Channel, Deed, EvidenceKind, Reason, Signal, Standing, State } from "./wire";

export const LOCALE = "en-GB";
export const UNITS = { second: "s", minute: "min", hour: "h" };

function days(n: number): string {
  return `${n.toLocaleString(LOCALE)} ${n === 1 ? "day" : "days"}`;
}

export const APP = {
  name: "Kua",
  titleCheck: "Check a call – Kua",
  titleViewer: "All calls – Kua",
  titleAlert: (n: number, title: string): string => `(${n}) Alert – ${title}`,
  skip: "Skip to the content",
  navigation: "Pages",
  navCheck: "Check a call",
  navClip: "Check a clip",
  navViewer: "All calls",
  navConsole: "Agent",
  navDesk: "Fraud desk",
  navAdmin: "Administration",
  navRunning: "a check is running",
  footer: (recorded: string): string => ["An estimate, not a proof.", recorded, "Not legal advice."].filter(Boolean).join(" "),
  recorded: (faceDays: number, audio: boolean): string =>
    faceDays
      ? `Faces${audio ? " and seconds of sound" : ""} of alerts are kept for ${days(faceDays)}; nothing else is recorded.`
      : "Nothing is recorded.",
};

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

const SIGNAL: Record<Signal, string> = { face: "Face", voice: "Voice", sync: "Lips and voice" };

/** Return the name of a signal; faces are numbered only where there are several. */
export function signalName(signal: Signal, track: number, several: boolean): string {
  return several && track > 0 ? `${SIGNAL[signal]} ${track}` : SIGNAL[signal];
}

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
  ofSignal: { face: "the face", voice: "the voice", sync: "the match of lips and voice" } satisfies Record<Signal, string>,
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

const ADVICE: Record<string, string> = { verify_identity: NEXT.spoof };

/** Return what to do by the server's key; a key that we do not know yet gets the safest text. */
export function adviceText(key: string): string {
  return ADVICE[key] ?? NEXT.spoof;
}

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

export const CHECK = {
  title: "Check a call",
  headline: "Is the person on your call genuine?",
  lead: "Kua listens and watches along, and tells you when the face or the voice you meet is made by a machine.",
  privacy: (recorded: string): string =>
    ["Sound and picture go only to the Kua service that this page came from. They are analysed at once.", recorded]
      .filter(Boolean)
      .join(" "),
  nameLabel: "Name of the call",
  nameHint: "Optional: who is calling?",
  defaultName: (date: string): string => `Call of ${date}`,
  tab: "Check a tab or screen",
  tabHint: "Best for a call that runs in another tab. Tick “Also share tab audio”.",
  camera: "Use camera and microphone",
  cameraHint: "For trying it out, or when the person sits before this device.",
  clip: "I have a recording",
  clipHint: "A video or voice message that somebody sent you.",
  asking: "Your browser is asking for permission…",
  connecting: "Connecting to the service…",
  stop: "Stop",
  preview: "What is being checked",
  previewNote: "Only you see this preview.",
  noPreview: "Sound only",
  noSound:
    "No sound is shared, so only the face is checked. To check the voice, start again and tick “Also share tab audio”.",
  noPicture: "No camera was found, so only the voice is checked.",
  noMicrophone: "No microphone was found, so only the face is checked.",
  ended: "The check has ended",
  endedBecause: (cause: string): string => `The service ended the call: ${cause}.`,
  result: "Last result",
  again: "Check another call",
  stepsTitle: "How it works",
  steps: [
    ["Share the call", "Choose the tab with the call, or your camera. Nothing is sent to the other person."],
    ["Keep talking", "Every second of face and speech that can be judged is looked at, for the whole call."],
    ["Read the colour", "You see the answer, why, and what to do next. Grey means that it cannot be judged."],
  ],
  statesTitle: "The four answers",
};

export const ERROR = {
  title: "That did not work",
  retry: "Try again",
  dismiss: "Dismiss",
  denied:
    "The browser was not allowed to share. Allow it in the address bar or in the system settings, then try again.",
  noDevice: "No camera or microphone was found. Connect one, or check a tab instead.",
  inUse: "The camera or microphone is in use by another program. Close that program, then try again.",
  unsupported: "This browser cannot share a tab or screen. Use a desktop browser, or the camera and microphone.",
  insecure: "The browser gives camera and screen only to safe addresses. Open this page by https or on 127.0.0.1.",
  full: (detail: string): string =>
    `The service is checking as many calls as it can. Try again in a moment. (${detail})`,
  refused: (detail: string): string => `The service did not take the call: ${detail}`,
  unreachable: "The service cannot be reached. Check that it runs, then try again.",
  lost: "The connection to the service was lost. Nothing is being checked now.",
  unknown: (detail: string): string => `Something unexpected happened: ${detail}`,
  status: (status: number): string => `the service answered with status ${status}`,
};

export const TOKEN = {
  title: "Access token",
  text: "This service asks for an access token. It is kept until you close this tab.",
  wrong: "That token was not accepted.",
  label: "Access token",
  submit: "Continue",
};

export const CONNECTION = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  closed: "Not connected",
};

export const VIEWER = {
  title: "All calls",
  running: "Running now",
  ended: "Ended lately",
  nothingRunning: "No call is being checked. One that starts shows up here by itself.",
  noneEnded: "Calls that end show up here.",
  sound: "Sound on alert",
  back: "Back to all calls",
  unnamed: "Unnamed call",
  meta: (source: string, since: string, lasts: string): string => [source, since, lasts].filter(Boolean).join(" · "),
  gone: "This call is no longer in the list.",
  startedAt: (time: string): string => `since ${time}`,
  endedAt: (time: string): string => `ended ${time}`,
  coverage: (face: string, speech: string): string => `${face} of face, ${speech} of speech`,
  clearedMark: "An alert was raised and taken back.",
};

export const ALERT = {
  title: (name: string): string => `Alert: ${name}`,
  text: (words: string): string => `${words} likely to be machine-made.`,
  face: "The face is",
  voice: "The voice is",
  both: "Face and voice are",
  sync: "What is seen or what is heard is",
  raised: (name: string): string => `Alert raised: ${name}. ${STATE.spoof.headline}.`,
  cleared: (name: string): string => `Alert taken back: ${name}. The evidence has faded.`,
  ended: "The call ended while the alert stood.",
  since: (at: string): string => `Since ${at} of the call`,
  open: "Show details",
  dismiss: "Dismiss",
};

export const LABEL = {
  title: "Was this alert right?",
  help: "Your answer goes into the account of the promise. It changes no alert line by itself.",
  spoof: "It was right",
  falseAlert: "False alert",
  unclear: "Unclear",
  failed: "That could not be stored. Try again.",
};

export const PROMISE = {
  title: "The promise",
  text: (hours: string): string => `At most one false alert in ${hours} call-hours.`,
  channel: { wideband: "Video and internet calls", telephone: "Telephone sound" } satisfies Record<Channel, string>,
  hours: "Watched",
  alerts: "Alerts",
  falseAlerts: "Found false",
  openAlerts: "Not labelled",
  standing: {
    kept: "The promise is kept, with 95 % confidence.",
    too_early: "Too early to tell.",
    broken: "The promise is broken: the alert line is too low for these calls. Measure it on your own calls.",
  } satisfies Record<Standing, string>,
  needed: (hours: string): string => `It takes ${hours} call-hours without another false alert to show it.`,
  rate: (low: string, high: string): string => `Between ${low} and ${high} false alerts an hour (95 %).`,
  proven: (proven: string, hours: string): string =>
    `The data behind the alert line prove one false alert in ${proven} call-hours; up to ${hours} is an estimate.`,
  estimate: "The alert line lies beyond what could be counted.",
};

export const LOG = {
  title: "What happened",
  empty: "No events yet.",
  started: (source: string): string => (source ? `Call began (${source})` : "Call began"),
  ended: (cause: string): string => `Call ended: ${cause}`,
  alert: {
    raised: "Alert raised",
    updated: "Alert updated",
    cleared: "Alert taken back",
  } satisfies Record<AlertMessage["kind"], string>,
  deed: {
    claimed: "Case claimed",
    released: "Case released",
    assigned: "Case assigned",
    handed_over: "Handed over to the fraud desk",
    note: "Note",
    reopened: "Case reopened",
  } satisfies Record<Deed, string>,
  other: {
    explanation: "Heat map of the face kept",
    voice_explanation: "Coarse picture of the sound kept",
    stake: "What is at stake",
    evidence: "Evidence kept",
    evidence_deleted: "Evidence deleted",
  },
  evidence: { face: "face", audio: "sound", timeline: "readings" } satisfies Record<EvidenceKind, string>,
  stake: (amount: number | null, currency: string, reference: string): string =>
    [amount === null ? "" : `${amount.toLocaleString(LOCALE)} ${currency}`.trim(), reference].filter(Boolean).join(" · "),
  explained: (at: string): string => `of the picture at ${at} of the call`,
  heard: (from: string, to: string): string => `of ${from}–${to} of the call`,
  detail: (at: string, evidence: string, threshold: string): string =>
    `at ${at} of the call, evidence ${evidence} of ${threshold}`,
  promise: (hours: number): string => `promised: at most one false alert in ${hours.toLocaleString(LOCALE)} call-hours`,
  label: {
    false_alert: "Marked as a false alert",
    spoof: "Marked as rightly raised",
    unclear: "Marked as unclear",
  } satisfies Record<AlertLabel, string>,
  models: "Models that took part",
};

const SOURCE: Record<string, string> = {
  whip: "browser",
  webrtc: "browser",
  websocket: "sound stream",
  twilio: "telephone",
  file: "recording",
};

/** Return where a call comes from, in words. */
export function sourceName(source: string): string {
  return SOURCE[source] ?? source;
}

const CAUSE: Record<string, string> = {
  "service stopped": "the service was stopped",
  "internal error": "an error in the service",
};

/** Return why a call ended, in words; free text of the server stays as it is. */
export function causeText(cause: string): string {
  return CAUSE[cause] ?? cause;
}
