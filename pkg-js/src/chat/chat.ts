// A chat and its members as applications see them: what the server sends, with the names of fields as JavaScript has them.

import { toUserStatus, type UserStatus } from "../core/user-status.js";
import type { Chat as WireChat, ChatMember as WireChatMember } from "../generated/protocol.js";

export type { Role } from "../generated/protocol.js";

/** Somebody in a chat, invited users included. */
export interface ChatMember extends Omit<WireChatMember, "user" | "status" | "last_seen">, UserStatus {}

/** A chat as one of its members sees it. A new object whenever it changed. */
export interface Chat extends Omit<WireChat, "member_count" | "members"> {
  /** The members in the order in which they joined; 100 at most. */
  readonly members: readonly ChatMember[];
  /** How many members it has. */
  readonly memberCount: number;
}

/** @internal */
export function toChat({ member_count, members, ...chat }: WireChat): Chat {
  return { ...chat, members: members.map(toUserStatus), memberCount: member_count };
}
