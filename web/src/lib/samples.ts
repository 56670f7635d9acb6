/** Messages for the tests. */
import type {
  AlertMessage,
  FaceExplanationMessage,
  LabelMessage,
  SessionMessage,
  SignalMessage,
  State,
  StoredMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./wire";

export function signal(fields: Partial<SignalMessage> = {}): SignalMessage {
  return {
    signal: "face",
    track: 1,
    state: "bona_fide",
    llr: 2,
    reason: null,
    evidence_nat: 0,
    analysed_s: 4,
    missed_s: {},
    share: 0,
    long_s: null,
    long_llr: null,
    ...fields,
  };
}

export function verdict(timeS: number, fields: Partial<VerdictMessage> = {}): VerdictMessage {
  return {
    type: "verdict",
    session: "a",
    time_s: timeS,
    state: "bona_fide",
    reason: null,
    signals: [signal(), signal({ signal: "voice", track: 0 })],
    coverage: { call_s: timeS, face_s: timeS, speech_s: timeS, face_missed_s: {}, speech_missed_s: {} },
    dropped: { pictures: 0, windows: 0, audio_s: 0 },
    evidence_nat: 0,
    threshold_nat: 4,
    pipeline: [],
    compared_with: "",
    likeness: [],
    faces: [],
    ...fields,
  };
}

export function started(seq: number, session = "a"): StoredMessage {
  return { type: "session_started", seq, session, name: `call ${session}`, source: "whip", at: at(seq) };
}

export function ended(seq: number, session = "a", state: State = "bona_fide"): StoredMessage {
  return { type: "session_ended", seq, session, at: at(seq), cause: "hung up", state, call_s: 60, face_s: 50, speech_s: 30, face_missed_s: {}, speech_missed_s: {}, signals: [], is_telephone: false, mean_llr: {}, pipeline: [] };
}

export function alert(seq: number, kind: AlertMessage["kind"], session = "a"): AlertMessage {
  return {
    type: "alert",
    seq,
    id: `alert of ${session}`,
    kind,
    session,
    at: at(seq),
    since_s: 10,
    time_s: 12,
    signals: [signal({ state: "spoof", evidence_nat: 5, share: 1 })],
    coverage: { call_s: 12, face_s: 9, speech_s: 8, face_missed_s: {}, speech_missed_s: {} },
    evidence_nat: 5,
    threshold_nat: 4,
    is_telephone: false,
    promise_hours: 100,
    pipeline: [],
    models: { face: "sha256:00" },
    advice: "verify_identity",
  };
}

export function label(seq: number, found: LabelMessage["label"], session = "a"): LabelMessage {
  return { type: "label", seq, session, alert: `alert of ${session}`, at: at(seq), label: found, by: "", note: "", reason: "" };
}

export function explanation(seq: number, fields: Partial<FaceExplanationMessage> = {}): FaceExplanationMessage {
  return {
    type: "explanation",
    seq,
    session: "a",
    alert: "alert of a",
    at: at(seq),
    start_s: 8,
    end_s: 12,
    time_s: 11.4,
    track: 1,
    spoof: [
      [0.1, 0.2, 0.1],
      [0.2, 0.3, 0.2],
      [0.1, 0.9, 0.1],
    ],
    model: "sha256:00",
    ...fields,
  };
}

export function voiceExplanation(
  seq: number,
  fields: Partial<VoiceExplanationMessage> = {},
): VoiceExplanationMessage {
  return {
    type: "voice_explanation",
    seq,
    session: "a",
    alert: "alert of a",
    at: at(seq),
    start_s: 130,
    end_s: 134,
    top_hz: 8000,
    energy_db: [
      [0, -12, -48, -6],
      [-24, -12, -48, -36],
    ],
    spoof_percent: [
      [-40, 10, 0, 5],
      [20, 20, 0, 100],
    ],
    stretches: [{ start_s: 133.5, end_s: 134 }],
    band: { low_hz: 4000, high_hz: 8000 },
    model: "sha256:01",
    ...fields,
  };
}

export function session(id: string, fields: Partial<SessionMessage> = {}): SessionMessage {
  return {
    session: id,
    name: `call ${id}`,
    source: "whip",
    started_at: at(1),
    ended_at: null,
    state: "undecided",
    verdict: null,
    alert: null,
    ...fields,
  };
}

function at(seq: number): string {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, seq)).toISOString();
}
