// Hooks for the connection's state and for channels. Each keeps its channel subscribed for as long as it is mounted. The
// hooks for chats and people are in ./people.ts.

import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import type { Row } from "../chat/message-list.js";
import type { Channel } from "../core/channel.js";
import type { Client } from "../core/client.js";
import type { ConnectionState, DefaultEvents, Member, MessageData, Typist } from "../core/events.js";
import {
  attach,
  DEFAULT_LIMIT,
  handlerNames,
  type UseChannelOptions,
  type UseMessagesOptions,
} from "../integration/handlers.js";
import { peekMessages, retain, retainMessages } from "../integration/reference-counts.js";
import { useGivenOr } from "./client.js";

const NOBODY: readonly Member[] = [];
const NO_TYPISTS: readonly Typist[] = [];
const NOTHING: readonly Row<never>[] = [];

/** The state of the connection; of the provider's client by default. */
export function useConnectionState(client?: Client): ConnectionState {
  const source = useGivenOr(client, (found) => found);
  const state = () => source.state;
  return useSyncExternalStore(
    useCallback((changed) => source.on("state", changed), [source]),
    state,
    state,
  );
}

/** Keeps a channel subscribed, with the handlers `onMessage`, `onEvent`, `onGap` and so on, which may change freely. */
export function useChannel<Events extends object = DefaultEvents>(
  channel: string | Channel<Events>,
  options: UseChannelOptions<Events> = {},
): Channel<Events> {
  const source = useSource(channel);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const { recent } = options;
  const names = handlerNames(options);
  useEffect(() => {
    const off = attach(source, names, () => latest.current);
    const release = retain(source, { recent, position: latest.current.position });
    return () => {
      off();
      release();
    };
  }, [source, names, recent]);
  return source as unknown as Channel<Events>;
}

/**
 * The channel's plain messages and the user's pending ones, merged by id. `recent` applies if this subscribes the channel
 * first.
 */
export function useMessages<Events extends object = DefaultEvents>(
  channel: string | Channel<Events>,
  { limit = DEFAULT_LIMIT, recent }: UseMessagesOptions = {},
): readonly Row<MessageData<Events>>[] {
  const source = useSource(channel);
  const rows = useSyncExternalStore(
    useCallback((changed) => retainMessages(source, limit, { recent }, changed), [source, limit, recent]),
    () => peekMessages(source, limit)?.rows ?? NOTHING,
    () => NOTHING,
  );
  return rows as readonly Row<MessageData<Events>>[];
}

/** The members of a presence channel. {@link useMembersComplete} tells whether these are all of them. */
export function useMembers<Events extends object = DefaultEvents>(
  channel: string | Channel<Events>,
): readonly Member[] {
  const source = useSource(channel);
  return useSyncExternalStore(
    useSubscribed(source, MEMBERS),
    () => source.members,
    () => NOBODY,
  );
}

/** Whether `useMembers` has all members: not before the channel is subscribed, nor while pages of a long list arrive. */
export function useMembersComplete<Events extends object = DefaultEvents>(
  channel: string | Channel<Events>,
): boolean {
  const source = useSource(channel);
  return useSyncExternalStore(
    useSubscribed(source, COMPLETENESS),
    () => source.membersComplete,
    () => false,
  );
}

/** The other users who are typing in the channel. Report keystrokes with `Channel.typing`. */
export function useTyping<Events extends object = DefaultEvents>(
  channel: string | Channel<Events>,
): readonly Typist[] {
  const source = useSource(channel);
  return useSyncExternalStore(
    useSubscribed(source, TYPING),
    () => source.typists,
    () => NO_TYPISTS,
  );
}

// The events that hooks follow. Constants, because a new array would subscribe anew on each render.
const MEMBERS = ["members"] as const;
const COMPLETENESS = ["members", "subscribed"] as const;
const TYPING = ["typing"] as const;

/** Keeps a channel subscribed, and calls back after these events. */
function useSubscribed(
  source: Channel<object>,
  events: typeof MEMBERS | typeof COMPLETENESS | typeof TYPING,
) {
  return useCallback(
    (changed: () => void) => {
      const off = events.map((event) => source.on(event, changed));
      const release = retain(source);
      return () => {
        for (const remove of off) remove();
        release();
      };
    },
    [source, events],
  );
}

function useSource<Events extends object>(channel: string | Channel<Events>): Channel<object> {
  const given = typeof channel === "string" ? undefined : (channel as unknown as Channel<object>);
  return useGivenOr(given, (client) => client.channel<object>(channel as string));
}
