// Around the tests of client-wasm/src/bindings/tests.rs: a host and a WebSocket that do what a test says, and timers that run
// when it says so. Nothing here waits, and nothing reaches a network.

// What is declared in client-wasm/src/bindings: the name of each operation and each call, then those of its registers.
let operations;
let hostCalls;

export const CONNECTION = "01890000-0000-7000-8000-0000000000aa";
const WELCOME = {
  user: "ada",
  ping_interval_ms: 25_000,
  hold_ms: 25_000,
  payload_bytes: 32_768,
  batch_bytes: 65_536,
  batch_frames: 300,
};
export const ID = "01890000-0000-7000-8000-0000000000bb";

export function equal(found, wanted, what = "") {
  const [a, b] = [found, wanted].map((value) => JSON.stringify(value, sorted));
  if (a !== b) throw new Error(`${what} found ${a}, wanted ${b}`);
}

/** An object with its properties in the order of their names. */
function sorted(_, value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sure(fact, what) {
  if (!fact) throw new Error(`not so: ${what}`);
}

/** The page around one client. */
class World {
  constructor(make, { websocket = true, polling = false } = {}) {
    this.make = make;
    this.websocket = websocket;
    this.polling = polling;
    this.sockets = [];
    /** Sockets that were opened before the core was there. */
    this.early = [];
    this.requests = [];
    this.timers = new Map();
    this.told = [];
    this.outcomes = [];
    this.batches = [];
    this.delivered = [];
    this.handle = -1;
    this.free = false;
  }

  start() {
    this.core = this.make(this.host(), this.websocket, this.polling);
    this.call("start");
    return this;
  }

  host() {
    return {
      batch: (frames) => {
        this.batches.push(frames);
        this.onBatch?.(frames);
        if (Array.isArray(frames)) for (const frame of frames) this.dispatch(frame);
      },
      call: (number, ...values) => {
        const [name, ...registers] = hostCalls[number];
        const args = {};
        registers.forEach((register, at) => {
          const [argument, names] = register?.split("=") ?? [];
          if (argument && values[at] !== undefined && values[at] !== -1)
            args[argument] = names ? names.split("|")[values[at]] : values[at];
        });
        this.told.push([name, args]);
        this.onTell?.(name, args);
      },
      // Which URL it has is the package's business.
      socket: () => this.early.pop() ?? new WebSocket(),
      handler: (event, id) => (value) => {
        if (!this.free) this.core.browser_event(event, id, value);
      },
    };
  }

  call(name, args = {}) {
    const number = operations.findIndex(([other]) => other === name);
    const [, ...registers] = operations[number];
    const unknown = Object.keys(args).filter((arg) => !registers.includes(arg));
    equal(unknown, [], `${name}:`);
    return this.core.call(number, ...Array.from({ length: 10 }, (_, at) => args[registers[at]]));
  }

  /** The code that a call throws. */
  fails(name, args) {
    try {
      this.call(name, args);
    } catch (error) {
      return error;
    }
    throw new Error(`${name} does not fail`);
  }

  dispatch(frame) {
    const { handle } = this;
    if (frame?.type === "welcome") this.call("welcome", { ...WELCOME, connection: CONNECTION });
    else if (frame?.type === "subscribed") {
      const { epoch, offset, head, gap, from } = frame;
      this.outcome("subscribed_frame", { handle, epoch, offset, head, gap_from: from, gap });
    } else if (frame?.type === "message") {
      if (this.core.accept(handle, frame.offset, 1)) this.delivered.push(frame.offset);
    } else if (frame?.type === "ack") {
      this.outcome("ack", { id: frame.id });
    } else if (frame?.type === "error") {
      const { code, message, id } = frame;
      this.outcome("refused", { code, message, id });
    } else if (frame?.type === "polled") {
      this.call("polled", { seq: frame.seq, connection: frame.connection });
    } else this.call("violation", { message: "what is this?" });
  }

  /** Notes what the application hears of a frame. */
  outcome(name, args) {
    const outcome = this.call(name, args);
    this.outcomes.push([name, outcome]);
    if (outcome !== undefined) this.onOutcome?.(name);
  }

  /** The newest socket. */
  get socket() {
    return this.sockets.at(-1);
  }

  /** Connects, and is welcomed. */
  connect() {
    this.start();
    this.socket.open();
    this.socket.receive([{ type: "welcome" }]);
    equal(this.states().at(-1), "connected");
    return this;
  }

  subscribe(channel = "news", epoch, offset) {
    this.handle = this.call("subscribe", { channel, epoch, offset });
    return this;
  }

  send(id, data = 1) {
    const frame = { type: "send", id, channel: "news", data };
    return this.call("send", { id, channel: "news", frame: JSON.stringify(frame) });
  }

  subscribed() {
    this.socket.receive([{ type: "subscribed", epoch: "e", offset: 0, head: 0 }]);
    return this;
  }

  states() {
    return this.of("state").map(({ status }) => status);
  }

  of(kind) {
    return this.told.filter(([name]) => name === kind).map(([, args]) => args);
  }

  /** Lets time pass until `done`, timer by timer. */
  until(done) {
    for (let n = 0; !done(); n++) {
      sure(n < 1000 && this.timers.size > 0, "something is still to come");
      const [next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at);
      this.timers.delete(next[0]);
      clock = Math.max(clock, next[1].at);
      next[1].handler();
    }
    return this;
  }

  /** Until it tries again. */
  untilTried() {
    const { length } = this.states();
    return this.until(() => this.states().lastIndexOf("connecting") >= length);
  }

  end() {
    if (this.core && !this.free) {
      this.call("close");
      this.release();
    }
  }

  release() {
    this.free = true;
    this.core.free();
  }
}

// WebSocket.readyState.
export const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

export class Socket {
  constructor() {
    this.sent = [];
    this.readyState = CONNECTING;
    // What was sent although the socket was not open.
    this.dropped = [];
    world.sockets.push(this);
  }
  send(text) {
    if (this.readyState !== OPEN) return void this.dropped.push(text);
    this.sent.push(JSON.parse(text));
    this.onsend?.();
  }
  close(code) {
    this.closed = code;
    this.readyState = CLOSING;
  }
  open() {
    this.readyState = OPEN;
    this.onopen?.({});
  }
  receive(frames) {
    this.text(JSON.stringify(frames));
  }
  text(data) {
    this.onmessage?.({ data });
  }
  ended(code) {
    this.readyState = CLOSED;
    this.onclose?.({ code });
  }
  types() {
    return this.sent.flat().map((frame) => frame.type);
  }
}

/** Settles when the test says so, and at once: no test has to wait. */
export const promise = (then) => ({ then });

let world;
let timers = 0;
let clock = 0;

const FAKES = {
  WebSocket: Socket,
  setTimeout: (handler, ms) => {
    sure(typeof handler === "function" && ms >= 0, "a timer has a function and a time");
    world.timers.set(++timers, { at: clock + ms, handler });
    return timers;
  },
  clearTimeout: (timer) => world.timers.delete(timer),
  fetch: (url, init) => {
    const request = { url, init, frames: JSON.parse(init.body) };
    world.requests.push(request);
    return promise((answered, failed) => Object.assign(request, { answered, failed }));
  },
};

/** Runs one test. */
export function run(test, make, memory, ...tables) {
  [operations, hostCalls] = tables;
  const { now } = Date;
  const { random } = Math;
  const real = Object.fromEntries(Object.keys(FAKES).map((key) => [key, globalThis[key]]));
  const worlds = [];
  localStorage.clear();
  Object.assign(globalThis, FAKES);
  clock = 1_000_000;
  performance.now = () => clock;
  Date.now = () => clock + 1_700_000_000_000;
  Math.random = () => 0.5;
  const open = (options) => {
    world = new World(make, options);
    worlds.push(world);
    return world;
  };
  open.memory = () => memory.buffer.byteLength;
  try {
    test(open);
    const dropped = worlds.flatMap(({ sockets }) => sockets.flatMap((socket) => socket.dropped));
    equal(dropped, [], "sent although the socket was not open:");
  } finally {
    for (world of worlds) world.end();
    Object.assign(globalThis, real);
    Date.now = now;
    Math.random = random;
    // What is left is the prototype's own.
    delete performance.now;
  }
}
