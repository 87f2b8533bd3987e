// The adapter of the npm package: lines of JSON on standard input become calls of its public API, and what it reports becomes
// lines of JSON on standard output, as README.md describes them. Needs Node 20 and the built package.

import { createInterface } from "node:readline";
import { connect } from "everwire";

// Node has a WebSocket of its own from version 22 on.
if (globalThis.WebSocket === undefined) {
  const { WebSocket } = await import("ws");
  globalThis.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      // Like a browser's, it may fail when nobody listens any more.
      this.on("error", () => {});
    }
  };
}

/** How long the goodbye may take. */
const GOODBYE_MS = 2_000;

/** @type {import("everwire").Client | undefined} */
let client;
/** The ids of messages without an answer, in order. */
const pending = new Set();
/** The messages by their `ref`. */
const sends = new Map();
/** Channels that have listeners already. */
const watched = new Set();
/** Answers the last question for a token. */
let giveToken = () => {};
let token;
/** The channel that is being subscribed to: what the client refuses itself, it refuses at once. */
let asking;

function emit(event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

function connected() {
  if (client === undefined) throw new TypeError("connect comes first");
  return client;
}

/** The channel, whose events are told from now on. */
function channelOf(name) {
  const channel = connected().channel(name);
  if (watched.has(channel)) return channel;
  watched.add(channel);
  const tell = (message) => emit("message", { message });
  channel.on("message", tell);
  channel.on("event", tell);
  channel.on("gap", (gap) => emit("gap", { channel: name, ...gap }));
  channel.on("subscribed", ({ epoch, offset, head }) =>
    emit("subscribed", { channel: name, epoch, offset, run: channel.position?.run, head }),
  );
  channel.on("error", ({ code, message }) =>
    emit(asking === name ? "failed" : "unsubscribed", { channel: name, code, message }),
  );
  channel.on("signal", (signal) => emit("frame", { frame: { type: "signalled", ...signal } }));
  return channel;
}

function onState(state) {
  switch (state.status) {
    case "connected":
      return emit("state", {
        status: "connected",
        transport: state.transport,
        connection: client.connection,
        user: client.user,
      });
    case "waiting":
      return emit("state", {
        status: "reconnecting",
        reason: state.reason,
        retry_in_ms: Math.max(0, state.retryAt - Date.now()),
      });
    case "offline":
      return emit("state", { status: "reconnecting", reason: state.reason });
    case "closed":
      return emit("state", { status: "closed", code: state.error?.code ?? "closed" });
    default:
      return emit("state", { status: state.status });
  }
}

/** The next token: the first one from `connect`, the others by asking. */
function nextToken() {
  if (token !== undefined) {
    const first = token;
    token = undefined;
    return first;
  }
  emit("token_wanted");
  return new Promise((resolve) => {
    giveToken = resolve;
  });
}

const COMMANDS = {
  connect(command) {
    token = command.token;
    const { url, guest, transports } = command;
    const given = command.ask_token === true ? nextToken : command.token;
    client = connect({ url, guest, transports, token: given, persist: false, idleAfter: false });
    emit("state", { status: "connecting" });
    client.on("state", onState);
    client.on("error", ({ code, message }) => {
      if (code === "protocol_violation") emit("invalid", { code, message });
      else emit("error", { error: { code, message } });
    });
  },
  subscribe({ channel, recent, undelivered, epoch, offset, run }) {
    const position = epoch === undefined ? undefined : { epoch, offset, run };
    asking = channel;
    // A refusal is told by the listener.
    channelOf(channel)
      .subscribe({ recent, undelivered, position })
      .catch(() => {});
    asking = undefined;
  },
  unsubscribe({ channel }) {
    void channelOf(channel).unsubscribe();
    emit("unsubscribed", { channel });
  },
  send({ channel: name, data, event, action, target, ref }) {
    const channel = channelOf(name);
    let sending;
    if (action === "edit") sending = channel.edit(target, data);
    else if (action === "delete") sending = channel.delete(target);
    else sending = channel.send(data, { event, replyTo: target });
    const { id } = sending;
    pending.add(id);
    sends.set(ref, sending);
    emit("sending", { id, ref });
    sending
      .then(({ offset, at }) => emit("acked", { id, ref, channel: name, offset, at }))
      .catch(({ code, message }) => emit("failed", { id, ref, code, message }))
      .finally(() => pending.delete(id));
  },
  cancel({ ref }) {
    sends.get(ref)?.cancel();
  },
  request({ frame: { type, ...fields }, timeout_ms: timeout = 30_000, ref }) {
    connected()
      .request(type, fields, { timeout })
      .then((frame) => emit("answered", { id: frame.id, ref, frame }))
      .catch(({ code, message }) => emit("failed", { ref, code, message }));
  },
  ephemeral({ frame }) {
    const channel = channelOf(frame.channel);
    if (frame.type === "signal") channel.signal(frame.event, frame.data, { to: frame.to });
    else if (frame.type === "mark") channel.markRead(frame.read);
    else if (frame.typing === true) channel.typing();
    else channel.stopTyping();
  },
  token(command) {
    giveToken(command.token);
  },
  status({ ref }) {
    const positions = {};
    for (const { name, position } of watched) if (position !== undefined) positions[name] = position;
    emit("status", { ref, session: connected().session, positions, pending: [...pending] });
  },
  async close() {
    await client?.close();
    emit("exit");
    lines.close();
    // Only if something keeps the process alive until then.
    setTimeout(() => process.exit(0), GOODBYE_MS).unref();
  },
};

emit("ready", {
  client: "everwire",
  versions: [1],
  transports: ["websocket", "polling"],
  features: ["position", "request", "ephemeral", "ask_token", "cancel", "status"],
});

const lines = createInterface({ input: process.stdin });
let closing = false;
let before = Promise.resolve();
lines.on("line", (line) => {
  // One after the other: what one command has resolved is done before the next one.
  before = before.then(() => take(line)).then(() => new Promise(setImmediate));
});
lines.on("close", () => {
  // Without a `close` it ends like a process that is killed.
  if (!closing) process.exit(0);
});

function take(line) {
  let ref;
  try {
    const command = JSON.parse(line);
    ref = command.ref;
    closing ||= command.command === "close";
    if (Object.hasOwn(COMMANDS, command.command)) void COMMANDS[command.command](command);
    else emit("unsupported", { ref, command: command.command });
  } catch (error) {
    if (error.code === undefined) emit("invalid_command", { ref, message: String(error) });
    else emit("failed", { ref, code: error.code, message: error.message });
  }
}
