// A page in which a user has a client: tests call the client directly (harness/scene.ts). Events that must not be
// missed are recorded here.

import { type Client, type ConnectOptions, connect } from "everwire";
import * as chat from "everwire/chat";

/** An event in the page, and when it happened, in ms since 1970. */
export interface RecordedEvent {
  readonly at: number;
  readonly value: unknown;
}

/** How many lines of the client's log are kept for a failing test. */
const LINES = 200;

const records = new Map<string, RecordedEvent[]>();
const lines: string[] = [];

const people = {
  MessageList: chat.MessageList,
  /** Message lists by channel name. */
  lists: new Map<string, chat.MessageList<{ message: unknown }>>(),

  open(options: ConnectOptions): Client {
    const debug = (line: string) => {
      lines.push(`${new Date().toISOString().slice(14, 23)} ${line}`);
      if (lines.length > LINES) lines.shift();
    };
    const client = connect({ persist: false, idleAfter: false, ...options, debug });
    client.on("state", ({ status }) => people.record("state", status));
    client.on("error", ({ code }) => people.record("error", code));
    return client;
  },

  /** The list of a channel, created at the first call. */
  list(client: Client, channel: string) {
    const found = people.lists.get(channel);
    const list = found ?? new chat.MessageList(client.channel<{ message: unknown }>(channel));
    people.lists.set(channel, list);
    return list;
  },

  record(name: string, value: unknown): void {
    records.set(name, [...(records.get(name) ?? []), { at: Date.now(), value }]);
  },

  records: (name: string): readonly RecordedEvent[] => records.get(name) ?? [],
  debug: () => lines.slice(-60).join("\n"),
};

declare global {
  interface Window {
    people: typeof people;
  }
  /** In the page: records a value for the test. */
  var record: typeof people.record;
  /** In the page: the package's exports. */
  var createChat: typeof chat.createChat;
  var userChannel: typeof chat.userChannel;
}

window.people = people;
globalThis.record = people.record;
globalThis.createChat = chat.createChat;
globalThis.userChannel = chat.userChannel;
