/** Forwarded clips: a file goes up, its answer is asked for until it is there. */
import { ApiError, getJson, request } from "./api";
import { auth } from "./auth.svelte";
import { ERROR } from "./strings";
import type { ClipMessage, Pack } from "./wire";

/** Send a file, telling how much of it is sent; 0..1. */
export async function uploadClip(file: Blob, name: string, signal: AbortSignal, onsent: (share: number) => void): Promise<ClipMessage> {
  // Asks for a token where one is needed, before a large file is on its way.
  await request("/v1/me");
  // `fetch` cannot tell how far an upload is.
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", `/v1/clips?name=${encodeURIComponent(name)}`);
    if (auth.token) sending.setRequestHeader("Authorization", `Bearer ${auth.token}`);
    sending.upload.onprogress = (event) => event.lengthComputable && onsent(event.loaded / event.total);
    sending.onload = () => {
      if (sending.status === 202) resolve(JSON.parse(sending.responseText) as ClipMessage);
      else reject(new ApiError(refusal(sending), sending.status));
    };
    sending.onerror = () => reject(new ApiError(ERROR.unreachable, 0));
    sending.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => sending.abort());
    sending.send(file);
  });
}

export async function getClip(id: string): Promise<ClipMessage> {
  return getJson<ClipMessage>(`/v1/clips/${encodeURIComponent(id)}`);
}

export async function cancelClip(id: string): Promise<void> {
  await request(`/v1/clips/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export async function getForwarding(country: string): Promise<Pack> {
  return getJson<Pack>(`/v1/forwarding?country=${country}`);
}

/** Return the clip that another app shared with us, once; null if there is none. */
export async function takeShared(): Promise<File | null> {
  if (!("caches" in window)) return null;
  const cache = await caches.open("kua-shared");
  const kept = await cache.match("/shared-clip");
  if (!kept) return null;
  await cache.delete("/shared-clip");
  return new File([await kept.blob()], decodeURIComponent(kept.headers.get("Kua-Name") ?? "clip"));
}

function refusal(answer: XMLHttpRequest): string {
  try {
    return String((JSON.parse(answer.responseText) as { error: string }).error);
  } catch {
    return ERROR.status(answer.status);
  }
}
