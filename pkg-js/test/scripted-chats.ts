// The chats of the user `me`, as a server would tell a scripted core of them.

import type { Chat } from "../src/chat/chat.js";
import { createChat } from "../src/chat/chat-client.js";
import { running, type ScriptedCore } from "./scripted-core.js";

export const chat = (id: string, at: number, more: object = {}) => ({
  id,
  kind: "group",
  title: `Chat ${id}`,
  open: false,
  role: "member",
  members: [
    { user: "me", role: "member", status: "online", delivered: 0, read: 0 },
    { user: "ann", role: "owner", status: "offline", last_seen: 5, delivered: 0, read: 0 },
  ],
  member_count: 2,
  read: 0,
  head: 10,
  unread: 0,
  at,
  ...more,
});

export const place = { channel: "private-user.me", epoch: "e", offset: 0, head: 0 };
export const mine = (type: string, fields: object) => ({ type, channel: "private-user.me", ...fields });
export const settle = () => new Promise((resolve) => setTimeout(resolve));
export const ids = (list: readonly Chat[]) => list.map(({ id }) => id).join();
/** Where the requested pages of chats begin. */
export const asked = (core: ScriptedCore) =>
  core.of("request").flatMap(([, frame]) => {
    const { type, after } = frame as { type: string; after?: string };
    return type === "list_chats" ? [after] : [];
  });

/** A client of the user `me`, whose chats are these. */
export async function chatting(chats: object[] = [chat("a", 100), chat("b", 200, { unread: 3 })]) {
  const { client, core } = await running();
  const list = createChat(client).chats;
  core.welcomed("me");
  await settle();
  core.receive({ type: "subscribed", ...place, chats });
  return { client, core, list };
}
