// Vue bindings: composables over the same client, channels and chats. Nothing happens before a component is mounted, so
// server rendering works; what a component held is released when its scope ends.

export type {
  BindingOptions,
  ChannelHandlers,
  UseChannelOptions,
  UseMessagesOptions,
} from "../integration/handlers.js";
export {
  type ChannelSource,
  useChannel,
  useConnectionState,
  useMembers,
  useMembersComplete,
  useMessages,
  useTyping,
} from "./channels.js";
export { EverwireProvider, useClient, useEverwire } from "./client.js";
export { useChat, useChatClient, useChats, useChatsComplete, useNotifications, useStatus } from "./people.js";
