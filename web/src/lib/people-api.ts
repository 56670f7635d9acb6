/** People who are known, their safe words and references, and questions to others about them. */
import { ApiError, getJson, request, sendJson } from "./api";
import type { AskedMessage, AskMessage, Knows, NewAskMessage, PersonMessage, PersonRequest, ProposedMessage, QuestionMessage, ReferenceMessage } from "./wire";

export async function getPeople(): Promise<PersonMessage[]> {
  return getJson<PersonMessage[]>("/v1/people");
}

export async function findCustomer(customer: string): Promise<PersonMessage | null> {
  return (await getJson<PersonMessage[]>(`/v1/people?customer=${encodeURIComponent(customer)}`))[0] ?? null;
}

export async function addPerson(person: PersonRequest): Promise<PersonMessage> {
  return sendJson<PersonMessage>("POST", "/v1/people", person);
}

export async function removePerson(id: string): Promise<void> {
  await request(`/v1/people/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** Have the service learn from a recording how a person looks and sounds; the person must have agreed to it. */
export async function enrol(id: string, recording: Blob, passphrase: string): Promise<ReferenceMessage> {
  const response = await request(`/v1/people/${encodeURIComponent(id)}/reference?consent=true`, {
    method: "PUT",
    headers: { "Content-Type": "application/octet-stream", "Kua-Passphrase": encodeURIComponent(passphrase) },
    body: recording,
  });
  return (await response.json()) as ReferenceMessage;
}

export async function forgetReference(id: string): Promise<void> {
  await request(`/v1/people/${encodeURIComponent(id)}/reference`, { method: "DELETE" });
}

export async function tryWord(id: string, word: string): Promise<boolean> {
  return (await sendJson<{ matches: boolean }>("POST", `/v1/people/${encodeURIComponent(id)}/safe-word`, { word })).matches;
}

/** Compare the caller with an enrolled person until the call ends. */
export async function compareWith(session: string, person: string, passphrase: string): Promise<void> {
  await sendJson("PUT", `/v1/sessions/${encodeURIComponent(session)}/reference`, { person, passphrase });
}

export async function compareWithNobody(session: string): Promise<void> {
  await request(`/v1/sessions/${encodeURIComponent(session)}/reference`, { method: "DELETE" });
}

/** Judge one face of the picture alone; null: the largest that moves. */
export async function chooseFace(session: string, track: number | null): Promise<void> {
  await sendJson("PUT", `/v1/sessions/${encodeURIComponent(session)}/face`, { track });
}

/** Return which active checks are worth most now. */
export async function getProposed(session: string): Promise<ProposedMessage> {
  return getJson<ProposedMessage>(`/v1/sessions/${encodeURIComponent(session)}/checks`);
}

/** Draw a check and have the service watch for it; what came of it is an event. */
export async function startCheck(session: string, kind: AskedMessage["kind"]): Promise<AskedMessage> {
  return sendJson<AskedMessage>("POST", `/v1/sessions/${encodeURIComponent(session)}/checks`, { kind });
}

export async function makeAsk(about: string, by: string): Promise<NewAskMessage> {
  return sendJson<NewAskMessage>("POST", "/v1/asks", { about, by });
}

export async function getAsk(id: string): Promise<AskMessage> {
  return getJson<AskMessage>(`/v1/asks/${encodeURIComponent(id)}`);
}

/**
 * Return the question behind a link. Whoever has the link has no token, and is asked for none.
 *
 * @throws ApiError The link is over.
 */
export async function getQuestion(link: string): Promise<QuestionMessage> {
  return (await (await byLink(link, { cache: "no-store" })).json()) as QuestionMessage;
}

export async function answerQuestion(link: string, answer: Knows, note: string): Promise<void> {
  const body = JSON.stringify({ answer, note });
  await byLink(link, { method: "POST", headers: { "Content-Type": "application/json" }, body });
}

async function byLink(link: string, init: RequestInit): Promise<Response> {
  const response = await fetch("/v1/answer", { ...init, headers: { ...init.headers, "Kua-Link": link } }).catch(() => null);
  if (!response?.ok) throw new ApiError("", response?.status ?? 0);
  return response;
}
