// Creates the demo's initial data on a server: chats and messages of its people, and a board. It uses the HTTP API with
// the API key like any back end, and runs once only: a server that has the chats already is not changed.
//
//     EVERWIRE_API_KEY=… node demo-web/seed/seed.mjs http://127.0.0.1:8787

import { readFileSync } from "node:fs";
import { argv, env, exit } from "node:process";
import { fileURLToPath } from "node:url";

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const { people } = read("given.json");
const chats = read("chats.json");
const board = read("board.json");

/** How long to wait for the server, and the polling interval, in ms. */
const TIMEOUT_MS = 30_000;
const LOOK_MS = 100;

export class Api {
  #url;
  #key;

  /** `url`: the server's URL. `key`: its API key. */
  constructor(url, key) {
    this.#url = url;
    this.#key = key;
  }

  /** Resolves to the response; undefined for 404; rejects with the server's error. */
  async call(method, path, body, headers = {}) {
    const answer = await fetch(this.#url + path, {
      method,
      headers: { Authorization: `Bearer ${this.#key}`, "Content-Type": "application/json", ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.status === 404) return undefined;
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** Publishes a durable message. `key` makes repetitions idempotent. */
  publish(to, message, key) {
    const headers = key === undefined ? {} : { "Idempotency-Key": key };
    return this.call("POST", "/api/v1/publish", { to, ...message }, headers);
  }

  createChat({ id, kind, title, open = false, users }) {
    const members = Object.entries(users).map(([user, role]) => ({
      user,
      name: nameOf(user),
      ...(kind === "group" && { role }),
    }));
    return this.call("POST", "/api/v1/chats", {
      kind,
      open,
      users: members,
      ...(id && { id }),
      ...(title && { title }),
    });
  }

  send(chat, user, text, key) {
    return this.publish({ chat }, { user, name: nameOf(user), data: { text } }, key);
  }
}

function nameOf(user) {
  return people.find((person) => person.user === user)?.name ?? user;
}

/** Resolves to whether the data was created. */
export async function seed(url, key) {
  const api = new Api(url, key);
  if ((await api.call("GET", `/api/v1/chats/${DONE.id}`)) !== undefined) return false;
  for (const [at, chat] of chats.entries()) {
    const { id } = await api.createChat(chat);
    for (const [n, [user, text]] of chat.messages.entries())
      await api.send(id, user, text, `seed-${at}-${n}`);
  }
  for (const [n, [event, data]] of board.entries())
    await api.publish({ channel: "board" }, { event, data }, `seed-board-${n}`);
  await api.createChat(DONE);
  return true;
}

/** A chat that none of the people is a member of: created last, it marks the seed as complete. */
const DONE = {
  id: "01930000-0000-7000-8000-00000000ffff",
  kind: "group",
  title: "The seed is complete",
  users: { seed: "owner" },
};

async function whenItListens(url) {
  const start = Date.now();
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (Date.now() - start > TIMEOUT_MS) throw error;
    }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , url] = argv;
  const key = env.EVERWIRE_API_KEY;
  if (!url || !key) {
    console.error("Usage: EVERWIRE_API_KEY=… node seed.mjs http://127.0.0.1:8787");
    exit(2);
  }
  try {
    await whenItListens(url);
    await seed(url, key);
  } catch (error) {
    console.error(`The demo's chats could not be created: ${error.message}`);
    exit(1);
  }
}
