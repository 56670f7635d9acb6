/** The server's messages, and the unions of them that the schema's generator leaves out. */
import type {
  AlertMessage,
  ExplanationMessage,
  HelloMessage,
  SessionEndedMessage,
  SessionStartedMessage,
  VerdictMessage,
} from "./messages";

export type {
  AboutMessage,
  AlertMessage,
  CoverageMessage,
  ExplanationMessage,
  Reason,
  SessionMessage,
  Signal,
  SignalMessage,
  SnapshotMessage,
  State,
  TimelineMessage,
  VerdictMessage,
} from "./messages";

export type StoredMessage = SessionStartedMessage | SessionEndedMessage | AlertMessage | ExplanationMessage;
export type ServerMessage = HelloMessage | StoredMessage | VerdictMessage;
