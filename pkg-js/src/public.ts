// What the default and the slim entry have in common.

export type { ChatList, NewChat } from "./chat/chat-list.js";
export type { ChatEvents, ChatRoom, Said } from "./chat/chat-room.js";
export { MessageList, type MessageListOptions, type Row } from "./chat/message-list.js";
export type { NotificationItem, NotificationList } from "./chat/notifications.js";
export type { Channel } from "./core/channel.js";
export type { Client } from "./core/client.js";
export type { Unsubscribe } from "./core/emitter.js";
export { type ErrorCode, EverwireError } from "./core/errors.js";
export type * from "./core/events.js";
