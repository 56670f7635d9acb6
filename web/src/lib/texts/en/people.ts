/** What the pages say of people who are known, and of ways to make sure that need no model. */
import type { Knows, ResemblanceMessage } from "../../wire";

export const PEOPLE = {
  tab: "People you know – Kua",
  title: "People you know",
  lead: "Save the people whose face or voice somebody might fake. Then, in a call, Kua helps you to make sure that it is them.",
  none: "Nobody is saved yet.",
  failed: (detail: string): string => `That did not work: ${detail}`,
  loading: "Loading…",
  number: (number: string): string => `Call back on ${number}`,
  noNumber: "No number saved",
  hasWord: "A safe word is agreed",
  noWord: "No safe word",
  enrolled: (voice: string, face: string): string => `Face and voice saved: ${face} of face, ${voice} of speech`,
  notEnrolled: "Face and voice are not saved",
  remove: "Forget this person",
  removeSure: (name: string): string => `Forget ${name} with all that is saved?`,
  yes: "Yes, forget",
  no: "No, keep",
  forget: "Forget face and voice",
  customer: (id: string): string => `Customer ${id}`,
};

export const PERSON = {
  title: "Save somebody",
  name: "Name",
  nameHint: "For example: Mother, Yerlan",
  number: "Number to call back on",
  numberHint: "The number that you already know, not one from the call.",
  word: "Safe word",
  wordHint: "A word or a sentence that only the two of you know, agreed on face to face. It is never kept as it is and cannot be read back.",
  save: "Save",
};

export const ENROL = {
  title: (name: string): string => `Save the face and the voice of ${name}`,
  lead: "Ten seconds are enough: the person looks into the camera and speaks. A video from your phone will do as well.",
  consent: (name: string): string =>
    `${name} knows of this and agrees: from the recording Kua makes numbers that describe the face and the voice. Only this service keeps them, sealed with the passphrase below. The recording itself is not kept. They can be deleted here at any time.`,
  passphrase: "Passphrase",
  passphraseHint: "At least 8 characters. You are asked for it in a call. It is kept nowhere: if you forget it, save the face and the voice again.",
  record: "Record ten seconds",
  file: "Choose a recording",
  recording: (left: number): string => `Recording… ${left} s left. Look into the camera and speak.`,
  reading: "Reading the recording…",
  done: "Saved.",
  cancel: "Cancel",
  open: "Save face and voice",
  again: "Save face and voice again",
};

export const SURE = {
  title: "Make sure yourself",
  lead: "These ways need no computer that judges. They work whatever was faked.",
  who: "Who does the caller say they are?",
  other: "Somebody else",
  manage: "Save people you know",
  callBack: "Call back",
  callBackText: "Hang up. Then call the number that you have known for long, not one that the caller gives you.",
  callNow: (number: string): string => `Call ${number}`,
  callAsk: "Who answered?",
  callThem: "It was really them",
  callNotThem: "They know nothing of this call",
  callNobody: "Nobody answered",
  word: "Ask for the safe word",
  wordText: "Say: “Tell me our word.” Never say it first. Then type what you heard.",
  wordHeard: "What they said",
  wordCheck: "Compare",
  wordRight: "That is the word that you agreed on.",
  wordWrong: "That is not the word. Do not send money or codes; call back on the number that you know.",
  wordNone: "No safe word is agreed with this person. Agree on one when you meet.",
  relative: "Ask somebody who knows them",
  relativeText: "Send this link to a relative or a friend. They see one question and answer with one tap; you see the answer here.",
  relativeBy: "Your name",
  relativeMake: "Make the link",
  relativeLink: "Link for your relative",
  relativeShare: "Share",
  copy: "Copy",
  copied: "Copied.",
  copyFailed: "Select it and copy it by hand.",
  relativeWait: "Waiting for the answer…",
  answer: {
    them: "Your relative reached them another way: it is them.",
    not_them: "Your relative says: it is not them. End the call; do not send money or codes.",
    unknown: "Your relative does not know either.",
  } satisfies Record<Knows, string>,
  questions: "Ask what only they know",
  questionsText: "Ask for something that was never written online, and listen whether the answer comes at once:",
  question: [
    "What did we eat when we last met?",
    "What lies in the drawer under the mirror?",
    "What did we call the dog of the neighbours?",
    "What went wrong on our last journey?",
  ],
  itWasThem: "Good. What the caller asks for, do it only over the number that you know.",
  itWasNot: "Then the caller is somebody else. End the call, send nothing, and tell your bank and the police if you already did.",
  nobody: "Try another number, or ask somebody who is with them. Until then, send nothing.",
};

export const ALIKE = {
  title: (name: string): string => `Is it like ${name}?`,
  lead: "Separate from the answer above: compares the caller with the face and the voice that you saved.",
  passphrase: "Passphrase",
  compare: "Compare",
  stop: "Stop comparing",
  waiting: "A few seconds of face and speech are needed.",
  identity: { identity_voice: "The voice", identity_face: "The face" } satisfies Record<ResemblanceMessage["identity"], string>,
  likeness: {
    same_person: (what: string, name: string): string => `${what} is like that of ${name}.`,
    another_person: (what: string, name: string): string => `${what} is not like the person you saved as ${name}.`,
    undecided: (what: string): string => `${what}: cannot be told yet.`,
  } satisfies Record<ResemblanceMessage["likeness"], (what: string, name: string) => string>,
  warning: "That it is alike proves nothing by itself: a good fake is made to be alike.",
  customer: "Customer's id",
  find: "Find",
  noCustomer: "No customer with that id has a saved face or voice.",
};

export const FACES = {
  title: "Whose face is checked?",
  lead: "Several faces are on the screen. The framed one is checked. Tap the person that you want to have checked.",
  chosen: "checked",
  face: (n: number): string => `Face ${n}`,
  still: "a picture that does not move",
};

export const ANSWER = {
  tab: "A question – Kua",
  title: (about: string): string => `Is it really ${about}?`,
  lead: (by: string, about: string): string =>
    `${by || "Somebody who knows you"} is in a call with a person who says they are ${about}. Such calls are often faked to get money. Reach ${about} another way now, for example by phone, then answer.`,
  them: "I reached them: it is them",
  not_them: "I reached them: it is not them",
  unknown: "I cannot tell",
  note: "Add a word (optional)",
  sent: "Thank you. Your answer has been sent; you can close this page.",
  gone: "This link is over or not complete. Ask for a new one.",
  answered: "This question was answered already.",
  failed: "That could not be sent. Try again.",
};
