/** The server's messages, and the unions of them that the schema's generator leaves out. */
import type {
  AlertMessage,
  FaceExplanationMessage,
  HelloMessage,
  LabelMessage,
  SessionEndedMessage,
  SessionStartedMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./messages";

export type {
  AboutMessage,
  AlertLabel,
  AlertMessage,
  Channel,
  ChannelPromiseMessage,
  CoverageMessage,
  FaceExplanationMessage,
  LabelMessage,
  PromiseMessage,
  Reason,
  SessionMessage,
  Signal,
  SignalMessage,
  SnapshotMessage,
  Standing,
  State,
  TimelineMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./messages";

export type ExplanationMessage = FaceExplanationMessage | VoiceExplanationMessage;
export type StoredMessage = SessionStartedMessage | SessionEndedMessage | AlertMessage | LabelMessage | ExplanationMessage;
export type ServerMessage = HelloMessage | StoredMessage | VerdictMessage;
