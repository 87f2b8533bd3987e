// What the default and the slim entry have in common.

export type { Channel } from "./channel.js";
export type { ChatList, NewChat } from "./chats.js";
export type { Client } from "./client.js";
export type { Off } from "./emitter.js";
export { type ErrorCode, EverwireError } from "./errors.js";
export type * from "./events.js";
export { MessageList, type MessageListOptions, type Row } from "./messages.js";
export type { NotificationItem, NotificationList } from "./notifications.js";
export type { ChatEvents, ChatRoom, Said } from "./room.js";
