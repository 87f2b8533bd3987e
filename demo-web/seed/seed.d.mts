// The types of seed.mjs, for tests.

export class Api {
  constructor(url: string, key: string);
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<unknown>;
  publish(
    to: { channel: string } | { user: string } | { chat: string } | "everyone",
    message: { event?: string; data: unknown; user?: string; name?: string },
    key?: string,
  ): Promise<{ id: string; offset: number }>;
  createChat(chat: {
    id?: string;
    kind: "group" | "direct";
    title?: string;
    open?: boolean;
    users: Readonly<Record<string, "owner" | "member" | "read_only" | "invited">>;
  }): Promise<{ id: string }>;
  send(chat: string, user: string, text: string, key?: string): Promise<{ id: string; offset: number }>;
}

/** Resolves to whether the data was created. */
export function seed(url: string, key: string): Promise<boolean>;
