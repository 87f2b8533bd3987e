// The back end's role, played by the page: calls the server's HTTP API with its API key. In a real application the key
// stays on the back end; the demo server gives it to the page in `demo.json`, so that the board can be tried.

import { API_PATH } from "../../../protocol/generated/protocol";

/** The contents of `demo.json`. */
export interface Operator {
  readonly apiKey: string;
}

/** The API key, if this server has given one to its pages. */
export async function operatorOfThisServer(): Promise<Operator | undefined> {
  try {
    const answer = await fetch("./demo.json", { cache: "no-store" });
    if (!answer.ok) return undefined;
    const given: unknown = await answer.json();
    const apiKey =
      typeof given === "object" && given !== null && "apiKey" in given ? given.apiKey : undefined;
    return typeof apiKey === "string" && apiKey !== "" ? { apiKey } : undefined;
  } catch {
    return undefined;
  }
}

export interface Call {
  readonly path: string;
  readonly body: object;
}

/** Publishes to a channel. */
export function publishCall(channel: string, event: string, data: object): Call {
  return { path: `${API_PATH}/publish`, body: { to: { channel }, event, data } };
}

/** Sends a notification to everyone, including users who come online later. */
export function notifyCall(title: string, message: string): Call {
  const data = { title, message, priority: "normal", url: "#/board" };
  return { path: `${API_PATH}/publish`, body: { to: "everyone", event: "notification", data } };
}

/** Rejects with a message that can be shown to the user. */
export async function call({ apiKey }: Operator, { path, body }: Call): Promise<void> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const error: unknown = await answer.json().catch(() => undefined);
  const message =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
  throw new Error(message || `The server answered ${answer.status}.`);
}

/** The same call as a curl command that reads the key from the environment. */
export function curlOf({ path, body }: Call, origin: string): string {
  const data = JSON.stringify(body).replaceAll("'", "'\\''");
  return [
    `curl ${origin}${path} \\`,
    '  -H "Authorization: Bearer $EVERWIRE_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${data}'`,
  ].join("\n");
}
