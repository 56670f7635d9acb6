/** The service's HTTP interface: adds the token, asks for one where it is missing, turns refusals into texts. */
import { auth } from "./auth.svelte";
import { ERROR } from "./strings";
import type { AboutMessage, AlertLabel, LabelMessage, MeMessage, PromiseMessage, SnapshotMessage, StoredMessage, TimelineMessage } from "./wire";

const MAX_PAGES = 20;

/** The service refused, or could not be reached (`status` 0). The text is fit for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/**
 * Send a request; on 401 ask the reader for a token and send it again.
 *
 * @throws ApiError The service refused or cannot be reached.
 */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const token = auth.token;
    const response = await reach(path, init, token);
    if (response.status === 401) {
      await auth.ask(token);
      continue;
    }
    if (!response.ok) throw new ApiError(await refusal(response), response.status);
    return response;
  }
}

export async function getAbout(): Promise<AboutMessage> {
  return getJson<AboutMessage>("/v1/about");
}

/** Return what the service says of itself if it says so without asking for a token; null if not. */
export async function peekAbout(): Promise<AboutMessage | null> {
  const response = await reach("/v1/about", {}, auth.token).catch(() => null);
  return response?.ok ? ((await response.json()) as AboutMessage) : null;
}

/** Return who we are to the service if it says so without asking for a token; null if not. */
export async function peekMe(): Promise<MeMessage | null> {
  const response = await reach("/v1/me", {}, auth.token).catch(() => null);
  return response?.ok ? ((await response.json()) as MeMessage) : null;
}

/** Return the picture that the newest explanation of an alert lies over; null if the service holds it no longer. */
export async function getFace(session: string, alert: string): Promise<ImageBitmap | null> {
  const path = `/v1/sessions/${encodeURIComponent(session)}/alerts/${encodeURIComponent(alert)}/face.jpg`;
  try {
    return await createImageBitmap(await (await request(path, { cache: "no-store" })).blob());
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export async function getSnapshot(): Promise<SnapshotMessage> {
  return getJson<SnapshotMessage>("/v1/sessions");
}

export async function getTimeline(session: string): Promise<TimelineMessage> {
  return getJson<TimelineMessage>(`/v1/sessions/${encodeURIComponent(session)}/timeline`);
}

export async function getPromise(): Promise<PromiseMessage> {
  return getJson<PromiseMessage>("/v1/promise");
}

/** Keep what a person found of an alert. */
export async function labelAlert(alert: string, label: AlertLabel): Promise<LabelMessage> {
  return sendJson<LabelMessage>("POST", `/v1/alerts/${encodeURIComponent(alert)}/label`, { label });
}

/** Return the stored events of one call, however the server cuts its answer. */
export async function getEvents(session: string): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  let after = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const events = await getJson<StoredMessage[]>(`/v1/events?after=${after}&session=${encodeURIComponent(session)}`);
    found.push(...events.filter((event) => event.session === session));
    const last = events.at(-1);
    if (!last || last.seq <= after) break;
    after = last.seq;
  }
  return found;
}

/** Return the texts of a failed request: the body's `error`, else its status. */
async function refusal(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "error" in body) return String(body.error);
  return ERROR.status(response.status);
}

/** Return the JSON of an answer. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await request(path, { headers: { Accept: "application/json" } });
  return (await response.json()) as T;
}

/** Send JSON and return the JSON of the answer; of an empty answer null. */
export async function sendJson<T>(method: "POST" | "PUT" | "DELETE" | "PATCH", path: string, body?: unknown): Promise<T> {
  const response = await request(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const answer: unknown = response.status === 204 ? null : await response.json();
  return answer as T;
}

async function reach(path: string, init: RequestInit, token: string | null): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(path, { ...init, headers });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(ERROR.unreachable, 0);
  }
}
