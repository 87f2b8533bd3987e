// `everwire/chat`: chats with members, messages and read marks, and notifications, for a client of any entry
// with `connect`.

export type { Chat, ChatMember, Role } from "./chat.js";
export { type ChatClient, createChat } from "./chat-client.js";
export type { ChatList, NewChat } from "./chat-list.js";
export type { ChatContent, ChatEvents, ChatRoom } from "./chat-room.js";
export { MessageList, type MessageListOptions, type Row } from "./message-list.js";
export type { NotificationItem, NotificationList } from "./notifications.js";
export { userChannel } from "./user-channel.js";
