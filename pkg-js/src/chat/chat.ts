// A chat and its members in the public API: the frames of the server with JavaScript's field names.

import { toUserStatus, type UserStatus } from "../core/user-status.js";
import type { Chat as WireChat, ChatMember as WireChatMember } from "../generated/protocol.js";

export type { Role } from "../generated/protocol.js";

/** A participant of a chat, possibly invited. */
export interface ChatMember extends Omit<WireChatMember, "user" | "status" | "last_seen">, UserStatus {}

/** A chat as one of its members sees it. A new object after every change. */
export interface Chat extends Omit<WireChat, "member_count" | "members"> {
  /**
   * The members in the order in which they joined. Of a chat with more than 100 only the first ones, and those whom `memberCount`
   * counts in addition are loaded while the chat is open.
   */
  readonly members: readonly ChatMember[];
  /** The number of members. */
  readonly memberCount: number;
}

/** @internal */
export function toChat({ member_count, members, ...chat }: WireChat): Chat {
  return { ...chat, members: members.map(toUserStatus), memberCount: member_count };
}
