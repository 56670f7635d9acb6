/** Every text of the fraud desk. Another language is another file of this shape. */
import { LOCALE } from "./strings";
import type { AlertLabel, CaseStatus, Deed, EvidenceKind, Signal } from "./wire";

export const DESK = {
  title: "Fraud desk",
  tabTitle: (open: number): string => (open ? `(${open}) Fraud desk – Kua` : "Fraud desk – Kua"),
  views: "Views",
  queue: "Queue",
  statistics: "Statistics",
  noRight: (role: string): string =>
    `A token of the role “${role}” cannot open the fraud desk. Ask an administrator for a token of an analyst.`,
  failed: (detail: string): string => `The queue cannot be fetched now: ${detail}`,
};

export const FILTER = {
  title: "Filters",
  status: "Status",
  statuses: {
    "open,in_review": "To do",
    open: "Open",
    in_review: "In review",
    "confirmed_fraud,false_alarm,inconclusive": "Decided",
    "": "All",
  } as Record<string, string>,
  assignee: "Whose",
  anybody: "Anybody's",
  mine: "Mine",
  nobody: "Nobody's",
  signal: "Signal",
  anySignal: "Any",
  signals: { face: "Face", voice: "Voice", sync: "Lips and voice" } satisfies Record<Signal, string>,
  handedOver: "Handed over by agents",
  search: "Search names, references, notes",
  sort: "Sort by",
  sorts: { urgency: "Urgency", newest: "Newest", amount: "Amount at risk", evidence: "Evidence" } as Record<string, string>,
  export: "Export what is listed",
};

export const QUEUE = {
  label: (total: number): string => `Queue of ${total.toLocaleString(LOCALE)} cases`,
  count: (total: number): string => `${total.toLocaleString(LOCALE)} ${total === 1 ? "case" : "cases"}`,
  empty: "No case fits these filters.",
  loading: "Fetching…",
  unnamed: "Unnamed call",
  running: "call is running",
  ended: "call has ended",
  evidence: (value: string, line: string): string => `${value} of ${line}`,
  notes: (n: number): string => `${n} ${n === 1 ? "note" : "notes"}`,
  handedOver: "handed over",
  now: "just now",
  minutes: (n: number): string => `${n} min ago`,
  hours: (n: number): string => `${n} h ago`,
  days: (n: number): string => `${n} d ago`,
};

export const STATUS: Record<CaseStatus, string> = {
  open: "Open",
  in_review: "In review",
  confirmed_fraud: "Confirmed fraud",
  false_alarm: "False alarm",
  inconclusive: "Inconclusive",
};

export const ACT = {
  title: "What to do with it",
  claim: "Claim",
  release: "Release",
  assign: "Assign…",
  reopen: "Reopen",
  note: "Write a note…",
  decide: {
    spoof: "Confirmed fraud",
    false_alert: "False alarm",
    unclear: "Inconclusive",
  } satisfies Record<AlertLabel, string>,
  decideTitle: "Decide",
  reasonTitle: (what: string): string => `${what}: why?`,
  reasons: {
    spoof: ["Called back: it was not this person", "Failed a challenge", "The picture shows it", "Known scheme"],
    false_alert: ["Called back: it was this person", "Passed every challenge", "Bad line or light", "Known camera effect"],
    unclear: ["Could not be reached", "Too little to judge", "Contradictory"],
  } satisfies Record<AlertLabel, readonly string[]>,
  reason: "In your own words",
  noteLabel: "Note",
  assignTitle: "To whom?",
  person: "Name",
  confirm: "Confirm",
  cancel: "Cancel",
  back: "Back to the queue",
  failed: (detail: string): string => `That was not done: ${detail}`,
};

export const DETAIL = {
  title: "Case",
  loading: "Fetching the case…",
  gone: "This case cannot be found.",
  raised: "Raised",
  call: "Call",
  whose: "Whose",
  nobody: "nobody's yet",
  atRisk: "At risk",
  reference: "Reference",
  decided: (by: string, reason: string): string => (reason ? `${by}: ${reason}` : by),
  strength: "Evidence, of the alert line",
  evidenceTitle: "Evidence kept",
  evidence: { face: "Face", audio: "Alerted sound", timeline: "Readings of the call" } satisfies Record<EvidenceKind, string>,
  until: (at: string): string => `until ${at}`,
  noEvidence: "Nothing is kept of this alert: it was deleted, or its time is over.",
  mayNot: "Your token does not let you see evidence.",
  play: "Alerted sound",
  listen: "Fetch the sound",
  downloads: "Take it with you",
  caseFile: "Case file (signed)",
  report: { kk: "Есеп, қазақша", ru: "Отчёт, по-русски", en: "Report, in English" },
  delete: "Delete the evidence…",
  deleteTitle: "Delete all evidence of this call for good?",
  deleteText: "Pictures, sound and readings are gone from everywhere. A mark with your name and the cause stays in the chain.",
  deleteCause: "Cause",
  chain: "Chain and models",
  link: "Newest link of the chain",
};

export const HELP = {
  title: "Keys",
  open: "Keys (?)",
  keys: [
    ["j / k", "next, previous"],
    ["Enter / Esc", "open, close"],
    ["c / r", "claim, release"],
    ["a", "assign"],
    ["f / x / i", "confirmed fraud, false alarm, inconclusive"],
    ["o", "reopen"],
    ["n", "write a note"],
    ["/", "search"],
    ["?", "this list"],
  ] as const,
};

export const STATS = {
  title: "How the desk does",
  days: "Days",
  alerts: "Alerts a day",
  outcome: {
    confirmed: "confirmed fraud",
    false_alarms: "false alarm",
    inconclusive: "inconclusive",
    undecided: "not decided",
  } as const,
  open: "Open",
  inReview: "In review",
  confirmedShare: "Confirmed, of the decided",
  triage: "Alert to first action",
  triageText: (median: string, p90: string): string => `half within ${median}, nine of ten within ${p90}`,
  coverage: "Judged of the call time, last day with calls",
  coverageText: (face: string, speech: string): string => `face ${face}, speech ${speech}`,
  none: "nothing yet",
  table: "As a table",
  day: "Day",
  hours: "Call-hours",
  drift: "Scores of calls that nobody found forged, week by week",
  driftText: "Line: the middle call. Band: eight of ten calls. A drift down means that alerts come more easily than measured: measure the alert line anew.",
  driftNone: "Not enough calls yet.",
  week: "Week of",
  calls: "Calls",
  telephone: "telephone",
  wideband: "internet",
  signal: { face: "Face", voice: "Voice", sync: "Lips and voice" } satisfies Record<Signal, string>,
};

export const DEED: Record<Deed, string> = {
  claimed: "claimed",
  released: "released",
  assigned: "assigned",
  handed_over: "handed over",
  note: "noted",
  reopened: "reopened",
};
