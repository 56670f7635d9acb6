/** The server's messages, and the unions of them that the schema's generator leaves out. */
import type {
  AlertMessage,
  FaceExplanationMessage,
  HelloMessage,
  SessionEndedMessage,
  SessionStartedMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./messages";

export type {
  AboutMessage,
  AlertMessage,
  CoverageMessage,
  FaceExplanationMessage,
  Reason,
  SessionMessage,
  Signal,
  SignalMessage,
  SnapshotMessage,
  State,
  TimelineMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./messages";

export type ExplanationMessage = FaceExplanationMessage | VoiceExplanationMessage;
export type StoredMessage = SessionStartedMessage | SessionEndedMessage | AlertMessage | ExplanationMessage;
export type ServerMessage = HelloMessage | StoredMessage | VerdictMessage;
