// React bindings: hooks over the same client and channels. Rendering has no side effects: everything happens in effects,
// so server rendering works, and StrictMode makes one connection and one subscription.

"use client";

export type {
  BindingOptions,
  ChannelHandlers,
  UseChannelOptions,
  UseMessagesOptions,
} from "../integration/handlers.js";
export { EverwireProvider, type EverwireProviderProps, useClient, useEverwire } from "./client.js";
export {
  useChannel,
  useConnectionState,
  useMembers,
  useMembersComplete,
  useMessages,
  useTyping,
} from "./hooks.js";
export { useChat, useChatClient, useChats, useChatsComplete, useNotifications, useStatus } from "./people.js";
