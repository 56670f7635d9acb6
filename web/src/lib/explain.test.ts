import { expect, test } from "vitest";
import {
  briefSignals,
  explanationOf,
  longWords,
  madeLines,
  missedLines,
  nameIn,
  nextStep,
  shownSignals,
  shownState,
  signalWords,
  voiceExplanationOf,
  whereHot,
  why,
} from "./explain";
import { alert, ended, explanation, signal, started, verdict, voiceExplanation } from "./samples";
import { EMPTY, receive, type Call } from "./store";
import { NEXT, REASON, WHY } from "./strings";
import type { Reason, ServerMessage, SignalMessage, State, TraitMessage, VerdictMessage } from "./wire";

function callOf(...messages: ServerMessage[]): Call {
  const call = [started(1), ...messages].reduce(receive, EMPTY).calls["a"];
  if (!call) throw new Error("no call");
  return call;
}

const said = (state: State, fields: Partial<VerdictMessage> = {}): Call => callOf(verdict(9, { state, ...fields }));

test("every reason has words, and an undecided call says its own", () => {
  for (const reason of Object.keys(REASON) as Reason[]) {
    expect(why(said("undecided", { reason }))).toBe(`Cannot judge: ${REASON[reason]}.`);
    expect(nextStep(said("undecided", { reason })).length).toBeGreaterThan(20);
  }
});

test("each way in which a face cannot be judged has a request of its own", () => {
  const reasons = ["no_face", "small_face", "blurred", "pose", "exposure", "occluded"] as const;
  const requests = reasons.map((reason) => nextStep(said("undecided", { reason })));
  expect(new Set(requests).size).toBe(reasons.length);
  expect(requests[5]).toContain("a hand, a mask, a microphone");
});

test("each way in which a voice cannot be judged has a request of its own", () => {
  const reasons = ["silence", "noise", "band_limited", "clipped", "music"] as const;
  const requests = reasons.map((reason) => nextStep(said("undecided", { reason })));
  expect(new Set(requests).size).toBe(reasons.length);
  expect(requests[1]).toContain("a quieter place");
});

test("before the first reading the call is undecided and waits", () => {
  expect(shownState(callOf())).toBe("undecided");
  expect(why(callOf())).toBe(WHY.waiting);
});

test("a suspect call names the signals that carry it, each once", () => {
  const signals = [
    signal({ state: "suspect" }),
    signal({ track: 2, state: "suspect" }),
    signal({ signal: "voice", track: 0, state: "spoof" }),
  ];
  expect(why(said("suspect", { signals }))).toBe(
    "Evidence is building in the face and the voice, but not enough for an alert.",
  );
});

test("while an alert stands the call is red and gives the advice of the alert", () => {
  const call = callOf(alert(2, "raised"), verdict(20, { state: "bona_fide" }));
  expect(shownState(call)).toBe("spoof");
  expect(why(call)).toBe(WHY.faded);
  expect(nextStep(call)).toBe("Do not send money or codes. Call the person back on a number you already know.");
});

test("an alert without any reading tells its own signals", () => {
  expect(why(callOf(alert(2, "raised")))).toBe("The evidence in the face has crossed the alert line.");
});

test("an advice key that the page does not know gets the safest text", () => {
  expect(nextStep(callOf({ ...alert(2, "raised"), advice: "new_key" }))).toBe(NEXT.spoof);
});

test("green names what it rests on, and what was not judged", () => {
  const voice = signal({ signal: "voice", track: 0 });
  expect(why(said("bona_fide"))).toBe("No traces of a generator in the face and the voice, in what was analysed.");
  const mute = { ...voice, state: "undecided", llr: null, reason: "silence" } as const;
  const halfJudged = "No traces of a generator in the face, in what was analysed. Not judged: the voice.";
  expect(why(said("bona_fide", { signals: [signal(), mute] }))).toBe(halfJudged);
  expect(why(said("bona_fide", { signals: [signal()] }))).toBe(halfJudged);
});

const sync = (fields: Partial<SignalMessage>): SignalMessage => signal({ signal: "sync", ...fields });

test("lips that fit the voice are named beside green, but do not carry it", () => {
  const fits = sync({ state: "bona_fide" });
  const call = said("bona_fide", { signals: [signal(), fits] });
  expect(why(call)).toBe("No traces of a generator in the face, in what was analysed. Not judged: the voice.");
  expect(signalWords(fits)).toBe("they fit, which proves nothing by itself");
  expect(signalWords(sync({ state: "undecided" }))).toBe("no clear match yet");
});

test("lips and voice say in words why they cannot be judged", () => {
  const hidden = sync({ state: "undecided", llr: null, reason: "no_mouth" });
  expect(nameIn(hidden, [signal(), hidden])).toBe("Lips and voice");
  expect(signalWords(hidden)).toBe("cannot judge now: the mouth is hidden or does not move");
});

test("a small card shows lips and voice only when they do not fit", () => {
  const wrong = sync({ state: "suspect" });
  expect(briefSignals([signal(), sync({ state: "bona_fide" })])).toEqual([signal()]);
  expect(briefSignals([signal(), wrong])).toEqual([signal(), wrong]);
});

test("that there is no face is shown only while there is none", () => {
  const none = signal({ track: 0, state: "undecided", llr: null, reason: "no_face" });
  const voice = signal({ signal: "voice", track: 0 });
  expect(shownSignals([none, voice])).toEqual([none, voice]);
  expect(shownSignals([none, signal(), voice])).toEqual([signal(), voice]);
});

test("no sign is not sold as a proof", () => {
  expect(nextStep(said("bona_fide"))).toContain("not a proof");
});

test("faces are numbered only where there are several", () => {
  const one = signal();
  const two = signal({ track: 2 });
  expect(nameIn(one, [one])).toBe("Face");
  expect(nameIn(two, [one, two])).toBe("Face 2");
});

test("a signal that cannot be judged says why, unless its alert stands", () => {
  expect(signalWords(signal({ llr: null, reason: "no_face" }))).toBe("cannot judge now: no face is in the picture");
  expect(signalWords(signal({ llr: null, reason: "no_face", state: "spoof" }))).toBe("over the line");
});

test("the newest explanation of the standing alert is shown, never that of another", () => {
  const other = explanation(3, { alert: "an older one" });
  expect(explanationOf(callOf(alert(2, "raised")))).toBeNull();
  expect(explanationOf(callOf(other, alert(4, "raised")))).toBeNull();
  const call = callOf(other, alert(4, "raised"), explanation(5), explanation(6));
  expect(explanationOf(call)?.seq).toBe(6);
});

test("once the alert is taken back or the call has ended, the last explanation stays in sight", () => {
  expect(explanationOf(callOf(alert(2, "raised"), explanation(3), alert(4, "cleared")))?.seq).toBe(3);
  expect(explanationOf(callOf(alert(2, "raised"), ended(3), explanation(4)))?.seq).toBe(4);
});

test("face and voice of one alert are each explained by their own newest", () => {
  const call = callOf(alert(2, "raised"), explanation(3), voiceExplanation(4), explanation(5), voiceExplanation(6));
  expect([explanationOf(call)?.seq, voiceExplanationOf(call)?.seq]).toEqual([5, 6]);
  expect(voiceExplanationOf(callOf(voiceExplanation(3, { alert: "an older one" }), alert(4, "raised")))).toBeNull();
});

test("where the heat is strongest is said in words", () => {
  expect(whereHot(explanation(1).spoof)).toBe("the heat is strongest in the lower centre of the face, on the chin");
  expect(whereHot([[0.2, 0.2, 0.2], [0.2, 0.9, 0.2], [0.2, 0.2, 0.2]])).toBe(
    "the heat is strongest in the middle of the face, around the nose",
  );
  expect(whereHot([[0.1, 0.1, 0.1], [0.1, 0.1, 0.1], [0.9, 0.1, 0.1]])).toBe(
    "the heat is strongest in the lower left of the picture, beside the face",
  );
  expect(whereHot([[0.99, 0.98]])).toBe(
    "all of the picture looks machine-made, no part of it more than another",
  );
  expect(whereHot([[0.1, 0.4]])).toBe("no place stands out by itself");
});

test("a longer stretch of speech leans only where it says something", () => {
  expect(longWords(30, -1)).toContain("machine-made");
  expect(longWords(10, 0.9)).toContain("10 s");
  expect(longWords(10, 0.9)).toContain("real voice");
  expect(longWords(10, 0.2)).toContain("no lean");
});

test("what was not analysed is said with its reason, longest first, and no line for a moment", () => {
  const { coverage } = verdict(60, {
    coverage: {
      call_s: 60,
      face_s: 40,
      speech_s: 30,
      face_missed_s: { blurred: 12, pose: 0.2 },
      speech_missed_s: { silence: 30 },
    },
  });
  expect(missedLines(coverage)).toEqual([
    "30 s of sound: nobody is speaking",
    "12 s of picture: the face is blurred",
  ]);
});

test("what is unusual in how picture and sound were made is said, the rarest first, and the rest is not", () => {
  const traits: TraitMessage[] = [
    { trait: "repeated", value: 0.587, p: 0.04, is_unusual: true },
    { trait: "still", value: 0.4, p: 0.3, is_unusual: false },
    { trait: "clock_rate", value: 3012.4, p: 0.01, is_unusual: true },
    { trait: "even_clock", value: 1, p: null, is_unusual: false },
    { trait: "rate_kept", value: 2.46, p: 0.02, is_unusual: true },
  ];
  expect(madeLines(traits)).toEqual([
    "the sound's clock runs 3012 millionths off ours",
    "asked to send less, the sender went on with 2.5 times as much",
    "59 % of the pictures only repeat the one before",
  ]);
  expect(madeLines([])).toEqual([]);
});

test("an ordinary pipeline has no bar", () => {
  const pipeline = signal({ signal: "pipeline", track: 0, state: "undecided" });
  expect(shownSignals([signal(), pipeline])).toEqual([signal()]);
  const odd = { ...pipeline, evidence_nat: 0.8 };
  expect(shownSignals([signal(), odd])).toEqual([signal(), odd]);
  expect(briefSignals([signal(), odd])).toEqual([signal()]);
});
