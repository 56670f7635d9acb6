/** The unions that the schema's generator leaves out, with the fields that the server always sends made required. */
import type {
  AlertMessage as Alert,
  HelloMessage,
  SessionEndedMessage,
  SessionMessage as Session,
  SessionStartedMessage,
  VerdictMessage as Verdict,
} from "./messages";

export type { AboutMessage, CoverageMessage, DroppedMessage, Reason, Signal, SignalMessage, State } from "./messages";

export type AlertMessage = Required<Alert>;
export type VerdictMessage = Required<Verdict>;
export type StoredMessage = Required<SessionStartedMessage> | Required<SessionEndedMessage> | AlertMessage;
export type ServerMessage = Required<HelloMessage> | StoredMessage | VerdictMessage;

export interface SessionMessage extends Session {
  verdict: VerdictMessage | null;
  alert: AlertMessage | null;
}

export interface SnapshotMessage {
  seq: number;
  sessions: SessionMessage[];
}

export interface TimelineMessage {
  session: string;
  readings: VerdictMessage[];
}
