// A page in which a person has a client: tests call the client itself, in their own words (harness/people.ts). What passes and
// must not be missed is noted here.

import { type Client, type ConnectOptions, connect } from "everwire";
import * as chat from "everwire/chat";

/** Something that happened in the page, and when, in ms since 1970. */
export interface Note {
  readonly at: number;
  readonly value: unknown;
}

/** How many lines of the client's log are kept for a test that fails. */
const LINES = 200;

const notes = new Map<string, Note[]>();
const lines: string[] = [];

const people = {
  MessageList: chat.MessageList,
  /** Message lists by the name of their channel: the same one for the same name. */
  lists: new Map<string, chat.MessageList<{ message: unknown }>>(),

  open(options: ConnectOptions): Client {
    const debug = (line: string) => {
      lines.push(`${new Date().toISOString().slice(14, 23)} ${line}`);
      if (lines.length > LINES) lines.shift();
    };
    const client = connect({ persist: false, idleAfter: false, ...options, debug });
    client.on("state", ({ status }) => people.note("state", status));
    client.on("error", ({ code }) => people.note("error", code));
    return client;
  },

  /** The list of a channel, made at the first call. */
  list(client: Client, channel: string) {
    const found = people.lists.get(channel);
    const list = found ?? new chat.MessageList(client.channel<{ message: unknown }>(channel));
    people.lists.set(channel, list);
    return list;
  },

  note(name: string, value: unknown): void {
    notes.set(name, [...(notes.get(name) ?? []), { at: Date.now(), value }]);
  },

  notes: (name: string): readonly Note[] => notes.get(name) ?? [],
  debug: () => lines.slice(-60).join("\n"),
};

declare global {
  interface Window {
    people: typeof people;
  }
  /** In the page: writes something down for the test. */
  var note: typeof people.note;
  /** In the page: the package's own. */
  var createChat: typeof chat.createChat;
}

window.people = people;
globalThis.note = people.note;
globalThis.createChat = chat.createChat;
