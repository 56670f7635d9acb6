/** The server's messages, and the unions of them that the schema's generator leaves out. */
import type {
  AlertMessage,
  CaseActionMessage,
  CheckMessage,
  EvidenceDeletedMessage,
  EvidenceMessage,
  FaceExplanationMessage,
  HelloMessage,
  LabelMessage,
  SessionEndedMessage,
  SessionStartedMessage,
  StakeMessage,
  VerdictMessage,
  VoiceExplanationMessage,
} from "./messages";

export type {
  AboutMessage,
  AlertKind,
  AskedMessage,
  AskMessage,
  AlertLabel,
  AlertMessage,
  AuditMessage,
  CaseActionMessage,
  CaseDetailMessage,
  CaseMessage,
  CasePageMessage,
  CaseStatus,
  Channel,
  CheckMessage,
  ClipMessage,
  ChannelPromiseMessage,
  CoverageMessage,
  DayMessage,
  DeadLetterMessage,
  Deed,
  DeedRequest,
  DriftMessage,
  EvidenceItemMessage,
  EvidenceKind,
  FaceExplanationMessage,
  FacePlaceMessage,
  InviteMessage,
  InviteRequest,
  JoinMessage,
  Knows,
  LabelMessage,
  LightMessage,
  MeMessage,
  NewAskMessage,
  NewInviteMessage,
  NewTokenMessage,
  NewWebhookMessage,
  Pack,
  PersonMessage,
  PersonRequest,
  PromiseMessage,
  ProposedMessage,
  QuestionMessage,
  Reason,
  ReferenceMessage,
  ResemblanceMessage,
  Right,
  Role,
  SessionMessage,
  Signal,
  SignalMessage,
  SnapshotMessage,
  Standing,
  State,
  StatisticsMessage,
  TimelineMessage,
  TokenMessage,
  TokenRequest,
  Trait,
  TraitMessage,
  VerdictMessage,
  VoiceExplanationMessage,
  WebhookMessage,
  WebhookRequest,
  WebhookTestMessage,
  WeekMessage,
} from "./messages";

export type ExplanationMessage = FaceExplanationMessage | VoiceExplanationMessage;
/** Changes of a case beside its alert: what people did, what is at stake, what was kept and deleted. */
export type CaseEvent = CaseActionMessage | StakeMessage | EvidenceMessage | EvidenceDeletedMessage;
export type StoredMessage =
  | SessionStartedMessage
  | SessionEndedMessage
  | AlertMessage
  | LabelMessage
  | ExplanationMessage
  | CheckMessage
  | CaseEvent;
export type ServerMessage = HelloMessage | StoredMessage | VerdictMessage;
