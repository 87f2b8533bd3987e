// Titles and previews of chats.

import type { Chat, ChatMember } from "../messenger/messengerApi";
import { firstName, nameOf } from "../people/people";
import { joinNames } from "../people/statusText";

/** All members but the user. */
export function othersOf(chat: Chat, me: string): ChatMember[] {
  return chat.members.filter(({ user }) => user !== me);
}

/** The other member of a direct chat. */
export function partnerIn(chat: Chat, me: string): ChatMember | undefined {
  return chat.kind === "direct" ? othersOf(chat, me)[0] : undefined;
}

/** The number of members, without those who are only invited. */
export function sizeOf({ members, memberCount }: Chat): number {
  return memberCount - members.filter(({ role }) => role === "invited").length;
}

export function titleOf(chat: Chat, me: string): string {
  if (chat.kind === "group" && chat.title) return chat.title;
  const names = othersOf(chat, me).map(nameOf);
  if (names.length === 0) return chat.kind === "direct" ? "Yourself" : "Only you";
  return chat.kind === "direct" ? (names[0] ?? "") : joinNames(names.map(firstName));
}

/** The last message, in one line. */
export function previewOf({ kind, role, last, members }: Chat, me: string): string {
  if (role === "invited") return "You are invited";
  if (!last) return "No messages yet";
  const text = textOf(last.data).replace(/\s+/g, " ");
  if (last.user === me) return `You: ${text}`;
  if (kind === "direct") return text;
  const { name } = members.find(({ user }) => user === last.user) ?? last;
  return `${firstName(nameOf({ user: last.user, name: name ?? last.name }))}: ${text}`;
}

/** Other applications may write to the same chat, so `data` can be anything. */
export function textOf(data: unknown): string {
  if (typeof data === "string") return data;
  if (typeof data === "object" && data !== null && "text" in data && typeof data.text === "string")
    return data.text;
  return JSON.stringify(data) ?? "";
}
