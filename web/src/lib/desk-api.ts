/** The service's routes of the fraud desk. */
import { getJson, request, sendJson } from "./api";
import type {
  AlertLabel,
  CaseActionMessage,
  CaseDetailMessage,
  CasePageMessage,
  Deed,
  DriftMessage,
  LabelMessage,
  StatisticsMessage,
  TimelineMessage,
} from "./wire";

export async function getPage(
  query: URLSearchParams,
  limit: number,
  offset: number,
  signal: AbortSignal,
): Promise<CasePageMessage> {
  const asked = new URLSearchParams(query);
  asked.set("limit", String(limit));
  asked.set("offset", String(offset));
  const response = await request(`/v1/cases?${asked}`, { headers: { Accept: "application/json" }, signal });
  return (await response.json()) as CasePageMessage;
}

export async function getCase(alert: string): Promise<CaseDetailMessage> {
  return getJson<CaseDetailMessage>(at(alert));
}

export async function getCaseTimeline(alert: string): Promise<TimelineMessage> {
  return getJson<TimelineMessage>(`${at(alert)}/timeline`);
}

export async function getStatistics(days: number): Promise<StatisticsMessage> {
  return getJson<StatisticsMessage>(`/v1/statistics?days=${days}`);
}

export async function getDrift(): Promise<DriftMessage> {
  return getJson<DriftMessage>("/v1/drift");
}

/** Do something with a case, short of deciding it. */
export async function act(alert: string, deed: Deed, to = "", note = ""): Promise<CaseActionMessage> {
  return sendJson<CaseActionMessage>("POST", `${at(alert)}/deeds`, { deed, to, note });
}

/** Decide what an alert was. */
export async function decide(alert: string, label: AlertLabel, reason: string): Promise<LabelMessage> {
  return sendJson<LabelMessage>("POST", `/v1/alerts/${encodeURIComponent(alert)}/label`, { label, reason });
}

export async function deleteEvidence(alert: string, cause: string): Promise<void> {
  await sendJson("DELETE", `${at(alert)}/evidence`, { cause });
}

/** Return a piece of evidence as an address that the page can play or show; whoever asks must revoke it. */
export async function evidenceUrl(id: string): Promise<string> {
  return URL.createObjectURL(await (await request(`/v1/evidence/${encodeURIComponent(id)}`)).blob());
}

/** Have the browser save a file of the service, which a plain link could not fetch without the token. */
export async function download(path: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await request(path)).blob());
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function at(alert: string): string {
  return `/v1/cases/${encodeURIComponent(alert)}`;
}

export const caseFile = (alert: string): [string, string] => [`${at(alert)}/case.zip`, `case-${alert}.zip`];

export const report = (alert: string, language: string): [string, string] => [
  `${at(alert)}/report.pdf?language=${language}`,
  `case-${alert}-${language}.pdf`,
];
