// Reference counts for clients, subscriptions and message lists, for the React and Vue bindings. An unused one is released
// after a delay, so that a remounted component (StrictMode, hot reload, a route change) finds it unchanged. Independent of
// frameworks.

import type { ChatRoom } from "../chat/chat-room.js";
import { MessageList } from "../chat/message-list.js";
import type { Channel } from "../core/channel.js";
import type { Client } from "../core/client.js";
import type { SubscribeOptions } from "../core/events.js";

/** How long something unused is kept, in ms: longer than a remount takes, too short to be noticed. */
export const RELEASE_MS = 1000;

interface Held {
  count: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface HeldList extends Held {
  readonly list: MessageList;
}

const clients = new WeakMap<object, Held>();
const subscriptions = new WeakMap<object, Held>();
const rooms = new WeakMap<object, Held>();
const lists = new WeakMap<object, Map<number, HeldList>>();

/** Increments the count, and returns a function that decrements it. */
function hold(held: Held, release: () => void): () => void {
  clearTimeout(held.timer);
  held.count++;
  let done = false;
  return () => {
    if (done) return;
    done = true;
    if (--held.count === 0) held.timer = setTimeout(release, RELEASE_MS);
  };
}

/** Starts the client if necessary; closes it when the count reaches zero, and leaves unsent messages to the next one. */
export function retainClient(client: Client): () => void {
  const held = clients.get(client) ?? { count: 0, timer: undefined };
  clients.set(client, held);
  client._start();
  return hold(held, () => client._release());
}

/**
 * Subscribes to the channel if necessary. When the count reaches zero the subscription ends, unless the application has
 * subscribed as well, regardless of which subscribed first. The options of the first caller apply.
 */
export function retain(channel: Channel<object>, options?: SubscribeOptions): () => void {
  const known = subscriptions.get(channel);
  const held = known ?? { count: 0, timer: undefined };
  subscriptions.set(channel, held);
  // Also after the server has ended it.
  const again = known !== undefined;
  if (!again || channel.subscription === "none") channel._warn(channel._share(options, again));
  return hold(held, () => {
    subscriptions.delete(channel);
    channel._release();
  });
}

/** Opens the chat like `ChatRoom.open`; leaves presence when the count reaches zero, the log stays subscribed for a while. */
export function retainRoom(room: ChatRoom): () => void {
  room._follow();
  const known = rooms.get(room);
  const held = known ?? { count: 0, timer: undefined };
  rooms.set(room, held);
  // An error is told to the listeners of the channel, or logged.
  room._hold(known === undefined);
  const releaseRoom = hold(held, () => {
    rooms.delete(room);
    room._leave();
  });
  const releasePresence = retain(room.presence as unknown as Channel<object>);
  return () => {
    releasePresence();
    releaseRoom();
  };
}

/** The shared message list of the channel, if it is in use. */
export function peekMessages(channel: Channel<object>, limit: number): MessageList | undefined {
  return lists.get(channel)?.get(limit)?.list;
}

/** Creates or shares the message list of the channel, and retains the channel. */
export function retainMessages(
  channel: Channel<object>,
  limit: number,
  options: SubscribeOptions,
  changed: () => void,
): () => void {
  const byLimit = lists.get(channel) ?? new Map<number, HeldList>();
  lists.set(channel, byLimit);
  const held = byLimit.get(limit) ?? {
    count: 0,
    timer: undefined,
    list: new MessageList(channel, { limit }),
  };
  byLimit.set(limit, held);
  const { list } = held;
  const off = list.on("change", changed);
  const releaseList = hold(held, () => {
    byLimit.delete(limit);
    list.stop();
  });
  const releaseChannel = retain(channel, options);
  return () => {
    off();
    releaseChannel();
    releaseList();
  };
}
