// What one attacker does to a server, from one address and with the token of one user, as fast as it can. Each attack goes on
// until its process is ended.

import { randomUUID } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import type WebSocket from "ws";
import {
  batchOf,
  type Frame,
  hello,
  newId,
  openSocket,
  send,
  subscribe,
  tokenOf,
  unsubscribe,
} from "./wire.js";

/** The attacker's address: not that of the honest clients. */
export const FROM = "127.0.0.66";
export const USER = "mallory";

type Attack = (port: number) => void;

/** Sends a batch over and over on some WebSockets, and opens another one whenever one is closed. */
function flood(batch: () => string, { sockets = 4, signsIn = true, reads = true } = {}): Attack {
  const open = (port: number) => {
    const socket = openSocket(port, FROM);
    let ended = false;
    const pour = () => {
      if (ended) return;
      for (let sent = 0; sent < 8 && socket.bufferedAmount < 512 * 1024; sent++) socket.send(batch());
      setImmediate(pour);
    };
    socket.once("open", () => {
      if (signsIn) socket.send(JSON.stringify([hello(USER)]));
      if (!reads) socket.pause();
      pour();
    });
    socket.once("close", () => {
      ended = true;
      setTimeout(() => open(port), 10);
    });
  };
  return (port) => {
    for (let n = 0; n < sockets; n++) open(port);
  };
}

const always = (text: string) => () => text;

/** Opens WebSockets, does something on each as fast as it goes, and opens another one whenever one is closed. */
function onSockets(sockets: number, act: (socket: WebSocket) => void): Attack {
  const open = (port: number) => {
    const socket = openSocket(port, FROM);
    socket.once("open", () => {
      socket.send(JSON.stringify([hello(USER)]));
      act(socket);
    });
    socket.once("close", () => setTimeout(() => open(port), 10));
  };
  return (port) => {
    for (let n = 0; n < sockets; n++) open(port);
  };
}

/** Writes bytes below the WebSocket over and over: what no client would send. */
function pourBytes(bytes: Buffer): Attack {
  return onSockets(8, (socket) => {
    const below = (socket as unknown as { readonly _socket: Socket })._socket;
    const pour = () => {
      if (below.destroyed) return;
      for (let sent = 0; sent < 8 && below.writableLength < 512 * 1024; sent++) below.write(bytes);
      setImmediate(pour);
    };
    pour();
  });
}

/** Frames of a WebSocket with this first byte and nothing in them. */
const emptyFrames = (first: number) =>
  Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from([first, 0x80, 0, 0, 0, 0])));

/** Opens sockets that sign in by one request and then stay; each asks again before the server closes it as idle. */
function hoard(count: number): Attack {
  const request = `GET /api/v1/connection-info HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf(USER)}\r\n\r\n`;
  const open = (port: number) => {
    const socket = connectTcp({ port, host: "127.0.0.1", localAddress: FROM });
    const ask = setInterval(() => socket.write(request), 8_000);
    socket.on("connect", () => socket.write(request));
    socket.on("error", () => undefined);
    socket.resume();
    socket.on("close", () => {
      clearInterval(ask);
      setTimeout(() => open(port), 100);
    });
  };
  return (port) => {
    for (let n = 0; n < count; n++) open(port);
  };
}

/** Signs in once on each socket, and then asks for something without credentials, as fast as it is answered. */
function afterSigningIn(path: string, parallel = 64): Attack {
  const first = `GET /api/v1/connection-info HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf(USER)}\r\n\r\n`;
  const more = `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(20);
  const open = (port: number) => {
    const socket = connectTcp({ port, host: "127.0.0.1", localAddress: FROM });
    socket.on("connect", () => socket.write(first + more));
    socket.on("data", () => {
      if (socket.writableLength === 0) socket.write(more);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(() => open(port), 10));
  };
  return (port) => {
    for (let n = 0; n < parallel; n++) open(port);
  };
}

/** Signs in, is welcomed and leaves, over and over. */
const comeAndGo: Attack = onSockets(32, (socket) => {
  socket.once("message", () => socket.terminate());
});

/** Posts bodies over and over, on some connections at a time. */
function post(path: string, body: () => string, { parallel = 64, token = tokenOf(USER) } = {}): Attack {
  const open = (port: number) => {
    const socket = connectTcp({ port, host: "127.0.0.1", localAddress: FROM });
    const next = () => {
      const text = body();
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n` +
          `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
    };
    socket.on("connect", next);
    socket.on("data", next);
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(() => open(port), 10));
  };
  return (port) => {
    for (let n = 0; n < parallel; n++) open(port);
  };
}

/** Opens sockets, writes something to each, and reads nothing. */
function unread(count: number, write: string): Attack {
  const open = (port: number) => {
    const socket = connectTcp({ port, host: "127.0.0.1", localAddress: FROM });
    if (write !== "") {
      socket.pause();
      socket.on("connect", () => socket.write(write));
    }
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(() => open(port), 100));
  };
  return (port) => {
    for (let n = 0; n < count; n++) open(port);
  };
}

const helloOnly = (session?: string): Frame => {
  const { token: _, ...rest } = hello(USER, session);
  return rest as Frame;
};
const poll = (more: object = {}): Frame => ({ type: "poll", ack: 0, hold_ms: 0, ...more });
const history = (): Frame => ({ type: "history", id: newId(), channel: "hall", limit: 200 });
const group = (users: readonly string[]): Frame => ({
  type: "create_chat",
  id: newId(),
  kind: "group",
  title: "x".repeat(100),
  users,
});
/** A group with people who have nothing to do with it, whose title changes again and again. */
const renamed = newId();
const renames = (): string =>
  JSON.stringify([
    {
      type: "create_chat",
      id: renamed,
      kind: "group",
      title: "x",
      users: ["honest-0", "honest-1", "honest-2"],
    },
    ...Array.from({ length: 50 }, (_, n) => ({
      type: "rename_chat",
      id: newId(),
      chat: renamed,
      title: `${n}`,
    })),
  ]);
/** Several users, each within the limits, who change a group with others again and again. */
function chatChanges(users: number): Attack {
  const open = (port: number, n: number) => {
    const socket = openSocket(port, FROM);
    const chat = newId();
    let changes: NodeJS.Timeout | undefined;
    const rename = (title: string): Frame => ({ type: "rename_chat", id: newId(), chat, title });
    socket.once("open", () => {
      const create = {
        type: "create_chat",
        id: chat,
        kind: "group",
        title: "x",
        users: ["honest-0", "honest-1"],
      };
      socket.send(JSON.stringify([hello(`${USER}-${n}`), create]));
      changes = setInterval(() => socket.send(JSON.stringify([rename(`${Date.now()}`)])), 100);
    });
    socket.once("close", () => {
      clearInterval(changes);
      setTimeout(() => open(port, n), 10);
    });
  };
  return (port) => {
    for (let n = 0; n < users; n++) open(port, n);
  };
}
/** The victim's list would have these, each of which JSON writes as six bytes. */
const invisible = Array.from({ length: 99 }, (_, n) => `\u0001`.repeat(100) + n);
const strangers = Array.from({ length: 99 }, (_, n) => `stranger-${"x".repeat(100)}-${n}`);

export const ATTACKS: Readonly<Record<string, Attack>> = {
  // Work that is begun per frame.
  subscribe: flood(always(batchOf(300, [subscribe("hall")]))),
  subscribe_presence: flood(always(batchOf(300, [subscribe("presence-hall"), unsubscribe("presence-hall")]))),
  subscribe_own: flood(always(batchOf(300, [subscribe(`private-user.${USER}`)]))),
  replay: flood(always(batchOf(300, [subscribe("hall", { recent: 500 })])), { sockets: 16 }),
  idle: flood(
    always(
      batchOf(300, [
        { type: "idle", idle: true },
        { type: "idle", idle: false },
      ]),
    ),
  ),
  status: flood(() =>
    JSON.stringify(
      Array.from({ length: 100 }, (_, n) => ({
        type: "set_status",
        id: newId(),
        status: n % 2 === 0 ? "away" : "online",
      })),
    ),
  ),
  ping: flood(always(batchOf(300, [{ type: "ping" }]))),
  token: flood(always(batchOf(100, [{ type: "token", token: tokenOf(USER) }]))),
  send: flood(() => JSON.stringify(Array.from({ length: 100 }, () => send("hall", "spam")))),
  refused_sends: flood(() => JSON.stringify(Array.from({ length: 300 }, () => send("everyone", 1)))),
  signal: flood(always(batchOf(300, [{ type: "signal", channel: "hall", event: "x", data: 1 }]))),
  unsubscribe: flood(always(batchOf(300, [unsubscribe("hall")]))),
  typing: flood(always(batchOf(300, [{ type: "typing", channel: "hall", typing: true }]))),
  marks: flood(always(batchOf(300, [{ type: "mark", channel: "hall", epoch: "x", delivered: 1, read: 1 }]))),
  statuses: flood(() =>
    JSON.stringify(Array.from({ length: 30 }, () => ({ type: "get_status", id: newId(), users: strangers }))),
  ),
  lists: flood(() =>
    JSON.stringify(Array.from({ length: 100 }, () => ({ type: "list_chats", id: newId(), limit: 100 }))),
  ),
  members: flood(() =>
    JSON.stringify(
      Array.from({ length: 100 }, () => ({ type: "list_members", id: newId(), channel: "presence-hall" })),
    ),
  ),
  mark_everyone: flood(
    always(batchOf(300, [{ type: "mark", channel: "everyone", epoch: "x", delivered: 1, read: 1 }])),
  ),
  history: flood(() => JSON.stringify(Array.from({ length: 100 }, history))),
  hellos: flood(() => JSON.stringify(Array.from({ length: 20 }, () => hello(USER)))),
  unknown_types: flood(always(batchOf(300, [{ type: "nothing" }]))),
  nothing: flood(always("[]"), { sockets: 16 }),
  websocket_pings: pourBytes(emptyFrames(0x89)),
  websocket_pongs: pourBytes(emptyFrames(0x8a)),
  fragments: pourBytes(Buffer.concat([Buffer.from([0x01, 0x80, 0, 0, 0, 0]), emptyFrames(0x00)])),
  come_and_go: comeAndGo,
  garbage: flood(always(batchOf(300, [{ type: "nothing" }, { type: "send" }])), { sockets: 16 }),
  surrogates: flood(always(`[{"type":"send","id":"${randomUUID()}","channel":"hall","data":"\\ud800"}]`)),
  // Limits that hang on an id which the client chooses.
  polls: post("/everwire/v1/poll", () => JSON.stringify([helloOnly(), poll(), subscribe("hall")])),
  questions: post("/everwire/v1/poll", () => JSON.stringify([helloOnly(), history(), history(), history()])),
  sessions: post("/everwire/v1/poll", () => JSON.stringify([helloOnly(), poll({ hold_ms: 25_000 })]), {
    parallel: 3_000,
  }),
  sockets: unread(10_000, ""),
  chats: flood(() => JSON.stringify(Array.from({ length: 8 }, () => group(["honest-0", ...strangers])))),
  chats_of_control_characters: flood(() =>
    JSON.stringify(Array.from({ length: 8 }, () => group(["honest-0", ...invisible]))),
  ),
  renames: flood(renames),
  chat_changes: chatChanges(50),
  hoard: hoard(3_000),
  // Requests that are refused, or ask for nothing, from somebody who may sign in.
  garbage_posts: post("/everwire/v1/poll", () => `[${"[".repeat(30_000)}`),
  large_posts: post("/everwire/v1/poll", () => JSON.stringify([helloOnly(), "x".repeat(60_000)])),
  documents: afterSigningIn("/openapi.json"),
  health: afterSigningIn("/readyz"),
  api: post("/api/v1/online-status", () => '{"is_online":true}'),
  // Peers that have not signed in.
  unsigned: flood(always(JSON.stringify(["x".repeat(60_000)])), {
    sockets: 64,
    signsIn: false,
  }),
  slow_heads: unread(1_000, "GET /healthz HTTP/1.1\r\nx: "),
  requests: post("/api/v1/chats/x/messages/1/read", () => "{}"),
  wrong_tokens: post("/everwire/v1/poll", () => "x".repeat(60_000), { token: `${tokenOf(USER)}x` }),
  // Readers that do not read.
  pipelined_health: unread(200, "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000)),
  wrong_keys: post("/api/v1/cleanup", () => "{}", { token: "a key that somebody has guessed" }),
  slow_bodies: unread(
    1_000,
    `POST /everwire/v1/poll HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf(USER)}\r\ncontent-length: 60000\r\n\r\n[`,
  ),
  pipelining: unread(200, "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500)),
  slow_websockets: flood(always(batchOf(4, [subscribe("hall", { recent: 500 })])), {
    sockets: 200,
    reads: false,
  }),
};
