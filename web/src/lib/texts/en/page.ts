/** What the pages say around it. */
import type { AlertLabel, AlertMessage, Channel, Deed, EvidenceKind, Standing } from "../../wire";
import { STATE } from "./call";
import { LOCALE, days } from "./numbers";

export const APP = {
  name: "Kua",
  titleCheck: "Check a call – Kua",
  titleViewer: "All calls – Kua",
  titleAlert: (n: number, title: string): string => `(${n}) Alert – ${title}`,
  skip: "Skip to the content",
  navigation: "Pages",
  navCheck: "Check a call",
  navClip: "Check a clip",
  navPeople: "People you know",
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

export const LANGUAGE = {
  title: "Language",
  busy: "A check is running. It stops if you change the language.",
  change: "Stop it and change",
  keep: "Go on checking",
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
  tab: "The call is on this screen",
  tabHint: "For a call in a tab or a program here. Tick “Also share audio”.",
  camera: "The call is on another phone",
  cameraHint: "Hold this device so that its camera sees the face and its microphone hears the loudspeaker.",
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
  unheard: { camera: "I do not hear the other side: turn the loudspeaker on, and hold this device closer.", tab: "I do not hear the other side: is its sound on, and did you tick “Also share audio”?" },
  shownBack: "You share a window or the whole screen with Kua. If you share it into the call as well, the other side sees this page and its answer: do not, or keep Kua on another screen.",
  noMicrophone: "I do not hear the other side: no microphone was found. Only the face is checked.",
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
  ownPage: "That tab is Kua itself. Share the tab or the window in which the call runs.",
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
    check: "What came of a check",
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
