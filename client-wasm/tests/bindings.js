// The tests of client-wasm/src/bindings/tests.rs: a host and a WebSocket that do what a test says, and timers that run when
// it says so. Nothing here waits, and nothing reaches a network.

// What is declared in client-wasm/src/bindings: the name of each operation and each call, then those of its registers.
let operations;
let hostCalls;

const CONNECTION = "01890000-0000-7000-8000-0000000000aa";
const WELCOME = {
  user: "ada",
  ping_interval_ms: 25_000,
  hold_ms: 25_000,
  payload_bytes: 32_768,
  batch_bytes: 65_536,
  batch_frames: 300,
};
const ID = "01890000-0000-7000-8000-0000000000bb";

function equal(found, wanted, what = "") {
  const [a, b] = [found, wanted].map((value) => JSON.stringify(value, sorted));
  if (a !== b) throw new Error(`${what} found ${a}, wanted ${b}`);
}

/** An object with its properties in the order of their names. */
function sorted(_, value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sure(fact, what) {
  if (!fact) throw new Error(`not so: ${what}`);
}

/** The page around one client. */
class World {
  constructor(make, { websocket = true, polling = false } = {}) {
    this.make = make;
    this.websocket = websocket;
    this.polling = polling;
    this.sockets = [];
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
      if (this.core.accept(handle, frame.offset)) this.delivered.push(frame.offset);
    } else if (frame?.type === "ack") {
      this.outcome("ack", { id: frame.id });
    } else if (frame?.type === "error") {
      const { code, message, id } = frame;
      this.outcome("refused", { code, message, id });
    } else if (frame?.type === "polled") this.call("polled", { seq: frame.seq });
    else this.call("violation", { message: "what is this?" });
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
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

class Socket {
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
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
const promise = (then) => ({ then });

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

/** Runs one test of this file. */
export function run(name, make, memory, ...tables) {
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
    TESTS[name](open);
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

const TESTS = {
  connects_and_says_hello(open) {
    const page = open().start();
    equal(page.socket.url, "ws://chat.example/everwire/v1/ws");
    equal(page.socket.protocol, "everwire.v1");
    equal(page.socket.sent, [], "nothing before it is open:");
    page.subscribe();
    page.socket.open();
    equal(page.socket.sent.length, 1, "one batch:");
    equal(page.socket.types(), ["hello", "subscribe"]);
    equal(page.socket.sent[0][0].guest, { user: "ada", name: "ada" });
    page.socket.receive([{ type: "welcome" }]);
    equal(page.states(), ["connecting", "connected"]);
    const { transport, attempt, retry_in_ms } = page.of("state")[1];
    equal([transport, attempt, retry_in_ms], ["websocket", 0, undefined]);
    page.call("ping", { nonce: 7 });
    equal(page.socket.types().includes("pong"), false, "a ping outside of a batch does not count:");
  },

  delivers_each_entry_once_and_in_order(open) {
    const page = open().connect().subscribe().subscribed();
    equal(page.outcomes, [["subscribed_frame", [0, undefined, undefined]]]);
    const entries = (...offsets) =>
      page.socket.receive(offsets.map((offset) => ({ type: "message", offset })));
    entries(1, 2, 2, 1, 3);
    equal(page.delivered, [1, 2, 3]);
    entries(5);
    equal(page.delivered, [1, 2, 3], "nothing after a hole:");
    equal(page.states().at(-1), "waiting", "a hole is asked for again:");
    equal(page.core.accept(page.handle, 4), false, "an entry from nowhere:");
    equal(page.core.accept(99, 1), false);
    equal(page.call("live", { handle: page.handle }), undefined);
    page.untilTried();
    page.socket.open();
    const again = page.socket.sent[0][1];
    equal([again.epoch, again.offset], ["e", 3], "from the certain position:");
  },

  throws_the_codes_of_errors(open) {
    const page = open().connect();
    equal(page.fails("subscribe", { channel: "two words" }), "invalid_channel");
    const channel = "news";
    equal(page.fails("subscribe", { channel, offset: 5 }), "invalid_option", "an offset without an epoch:");
    equal(page.fails("send", { id: "not an id", channel, frame: "{}" }), "invalid_option");
    sure(page.call("report").includes("opening a WebSocket"), "the report tells what happened");
    const handle = page.call("subscribe", { channel });
    equal(page.call("subscribe", { channel }), handle, "the same subscription:");
  },

  reports_the_status_of_a_send(open) {
    const page = open().connect();
    const shipped = {
      type: "send",
      id: ID,
      channel: "news",
      event: "order.shipped",
      data: { a: "\u0000 é" },
    };
    page.call("send", { id: ID, channel: "news", frame: JSON.stringify(shipped) });
    const [frame] = page.socket.sent.at(-1);
    equal(frame, shipped);
    page.socket.receive([{ type: "ack", id: ID, offset: 12, at: 1700000000000 }]);
    equal(page.of("sending"), [
      { id: ID, status: "queued" },
      { id: ID, status: "sent" },
    ]);
    equal(page.outcomes, [["ack", true]]);
    const other = ID.replace("bb", "cc");
    page.send(other);
    page.socket.receive([{ type: "error", code: "forbidden", message: "no", id: other }]);
    equal(page.outcomes.at(-1), ["refused", "failed"]);
  },

  repeats_a_request_until_it_is_answered_and_drops_what_is_ephemeral_without_a_connection(open) {
    const page = open().connect();
    const request = JSON.stringify({ type: "get_status", id: ID, users: ["bob"] });
    const ephemeral = { frame: '{"type":"signal"}' };
    page.call("request", { id: ID, frame: request, timeout_ms: 30_000 });
    equal(page.socket.sent.at(-1)[0].type, "get_status");
    equal(page.call("send_ephemeral", ephemeral), true);
    equal(page.socket.sent.at(-1)[0].type, "signal");
    page.socket.ended(1006);
    equal(page.call("send_ephemeral", ephemeral), false, "nobody is there:");
    page.call("send_sticky", { frame: '{"type":"idle","idle":true}' });
    page.untilTried();
    page.socket.open();
    page.socket.receive([{ type: "welcome" }]);
    const again = page.socket.sent.flat().map(({ type }) => type);
    equal(again, ["hello", "get_status", "idle"]);
    page.onBatch = () => {
      equal(page.call("answered", { id: ID }), true);
      equal(page.call("answered", { id: ID }), undefined, "once:");
    };
    page.socket.receive([]);
    equal(page.call("answered", { id: ID }), undefined, "outside of a batch:");
  },

  announces_typing_and_marks_receipts(open) {
    const page = open().connect().subscribe().subscribed();
    const { handle } = page;
    page.call("typing", { handle, key: 1 });
    equal(page.socket.sent.at(-1), [{ type: "typing", channel: "news", typing: true }]);
    page.call("typing", { handle, key: 0 });
    equal(page.socket.sent.at(-1), [{ type: "typing", channel: "news", typing: false }]);
    page.onBatch = () => page.call("own_receipt", { handle, delivered: 0, read: 0 });
    page.socket.receive([]);
    page.call("mark", { handle, delivered: 3, read: 2 });
    page.call("unsubscribe", { handle });
    const receipt = page.socket.sent.flat().find(({ type }) => type === "mark");
    equal(receipt, { type: "mark", channel: "news", epoch: "e", delivered: 3, read: 2 });
    page.call("user_typing", { handle, typist: 7, typing: 1 });
  },

  tries_again_after_a_close_code_and_stops_after_a_terminal_one(open) {
    const page = open().connect();
    page.socket.ended(4012);
    equal(page.states().at(-1), "waiting");
    const first = page.socket;
    page.untilTried();
    sure(page.socket !== first, "there is a new socket");
    equal(page.states().at(-1), "connecting");
    page.socket.open();
    page.socket.receive([{ type: "welcome" }]);
    page.socket.ended(4003);
    equal(page.states().at(-1), "closed");
    equal(page.of("state").at(-1).code, "banned");
    equal(page.timers.size, 0, "nothing is tried any more:");
    equal(page.fails("subscribe", { channel: "news" }), "closed");
  },

  sends_nothing_on_a_socket_that_is_closing(open) {
    for (const state of [CLOSING, CLOSED]) {
      const page = open().connect().subscribe().subscribed();
      const { socket } = page;
      const before = socket.sent.length;
      // The browser knows that the socket closes before it says so.
      socket.readyState = state;
      page.send(ID);
      page.call("typing", { handle: page.handle, key: 1 });
      page.call("send_ephemeral", { frame: '{"type":"signal"}' });
      dispatchEvent(new Event("offline"));
      page.onBatch = () => page.call("ping", { nonce: 7 });
      socket.receive([]);
      equal(socket.dropped, [], "on a socket that closes:");
      equal(socket.sent.length, before, "batches that arrived:");
      equal(page.states().at(-1), "connected", "its close event is yet to come:");
      socket.ended(4012);
      page.untilTried();
      page.socket.open();
      page.socket.receive([{ type: "welcome" }, { type: "subscribed", epoch: "e", offset: 0, head: 0 }]);
      sure(page.socket.types().includes("send"), "the message is sent on the next socket");
      page.end();
    }
    const page = open().start();
    page.socket.open = function () {
      this.readyState = CLOSING;
      this.onopen({});
    };
    page.socket.open();
    page.socket.ended(4003);
    equal(page.of("state").at(-1).code, "banned", "the code arrives with the event:");
  },

  takes_calls_from_inside_the_hosts_own_calls(open) {
    const page = open();
    page.onTell = (name, { status }) => {
      if (name === "state" && status === "connected") {
        page.subscribe();
        page.send(ID);
      }
    };
    page.onOutcome = () => {
      page.call("unsubscribe", { handle: page.handle });
      page.call("close");
    };
    page.onBatch = () => page.call("subscribe", { channel: "other" });
    page.start();
    page.socket.onsend = () => page.call("report");
    page.socket.open();
    page.socket.receive([{ type: "welcome" }]);
    const types = page.socket.types();
    equal(
      ["subscribe", "send"].every((type) => types.includes(type)),
      true,
      `${types}`,
    );
    page.socket.receive([
      { type: "subscribed", epoch: "e", offset: 0, head: 0 },
      { type: "message", offset: 1 },
    ]);
    equal(page.states().at(-1), "closed");
    equal(page.socket.types().slice(-2), ["unsubscribe", "bye"]);
    equal(page.delivered, [], "nothing after the end:");
    equal(page.of("sending").at(-1).status, "failed", "pending sends are reported:");
  },

  survives_a_host_that_throws(open) {
    const page = open();
    page.onTell = () => {
      throw new Error("a listener's own");
    };
    page.connect();
    page.subscribe().subscribed();
    page.socket.receive([{ type: "message", offset: 1 }]);
    equal(page.delivered, [1]);
    page.onBatch = () => {
      throw new Error("the batch cannot be read");
    };
    page.socket.receive([{ type: "message", offset: 2 }]);
    equal(page.states().at(-1), "waiting", "what cannot be read is a violation:");
    equal(page.of("error").at(-1).code, "protocol_violation");
    page.onBatch = undefined;
    page.untilTried();
    page.socket.open();
    page.socket.receive([{ type: "welcome" }]);
    equal(page.states().at(-1), "connected");
  },

  gives_up_a_server_that_sends_rubbish(open) {
    const rubbish = [
      "",
      "{",
      "undefined",
      "[",
      new ArrayBuffer(8),
      new Blob(["[]"]),
      "\ud800",
      "[null]",
      "[7]",
    ];
    for (const data of rubbish) {
      const page = open().connect();
      const { socket } = page;
      socket.text(data);
      equal(page.of("error").at(-1)?.code, "protocol_violation", `${data}:`);
      equal(page.states().at(-1), "waiting", `${data}:`);
      equal(socket.closed, 4013, `${data}:`);
      page.end();
    }
  },

  takes_any_number_for_an_offset(open) {
    const page = open().connect().subscribe().subscribed();
    const odd = [Number.NaN, -1, -0, 0.5, 1e300, Infinity, -Infinity, 2 ** 53, 2 ** 64];
    for (const number of odd) {
      for (const handle of [page.handle, -1, 1e10]) {
        page.call("live", { handle: number });
        page.call("ack", { id: ID });
        page.call("polled", { seq: number });
        page.call("ping", { nonce: number });
        const code = "no such code";
        page.call("unsubscribed_frame", { handle: number, channel: "news", code, retry_after_ms: number });
        page.call("subscribed_frame", {
          handle,
          epoch: "e",
          offset: number,
          head: number,
          gap_from: number,
          gap: "too_far",
        });
        // Without a whole position it is refused.
        if (number >= 0)
          page.call("subscribe", { channel: "elsewhere", recent: number, epoch: "e", offset: number });
        page.call("goaway", { delay_ms: number, spread_ms: number, reason: "" });
        const about = { retry: number, retry_after_ms: number };
        page.call("refused", { ...about, code: "forbidden", message: "" });
        equal(page.core.accept(handle, number), false);
      }
    }
    const other = open().connect().subscribe().subscribed();
    for (const number of odd) {
      other.socket.receive([{ type: "subscribed", epoch: "e", offset: number, head: number }]);
      other.onBatch = () => {
        for (const offset of odd) other.core.accept(other.handle, offset);
        other.call("goaway", { delay_ms: number, spread_ms: number, reason: "" });
        const sizes = { payload_bytes: number, batch_bytes: number, batch_frames: number };
        const times = { ping_interval_ms: number, hold_ms: number, token_expires_in_ms: number };
        other.call("welcome", { ...sizes, ...times, connection: CONNECTION, user: "ada" });
        other.call("welcome", { connection: "no UUID", user: "ada" });
      };
    }
    sure(other.told.length > 0, "it is alive");
    equal(other.core.accept(0, 1), false);
  },

  ignores_what_comes_late(open) {
    const page = open().connect();
    const { socket } = page;
    const { onmessage, onclose } = socket;
    socket.ended(1006);
    equal([socket.onmessage, socket.onclose], [null, null], "nobody listens to it any more:");
    page.untilTried();
    const before = page.told.length;
    onmessage({ data: "[]" });
    onclose({ code: 4003 });
    equal(page.told.length, before);
    equal(page.states().at(-1), "connecting");
  },

  polls_where_there_is_no_websocket(open) {
    const page = open({ websocket: false, polling: true }).start();
    const [poll] = page.requests;
    equal(poll.url, "http://chat.example/everwire/v1/poll");
    equal([poll.init.method, poll.init.headers], ["POST", { "content-type": "application/json" }]);
    equal(
      poll.frames.map((frame) => frame.type),
      ["hello", "poll"],
    );
    let body;
    const response = { ok: true, status: 200, text: () => promise((read) => (body = read)) };
    poll.answered(response);
    body(JSON.stringify([{ type: "welcome" }, { type: "polled", seq: 3 }]));
    equal(page.of("state").at(-1).status, "connected");
    equal(page.of("state").at(-1).transport, "polling");
    page.until(() => page.requests.length === 2);
    const next = page.requests.at(-1);
    equal([next.frames[1].ack, next.frames[1].connection], [3, CONNECTION]);
    next.answered({ ok: false, status: 503 });
    page.until(() => page.requests.length === 3);
    page.requests.at(-1).failed(new TypeError("no network"));
    equal(page.states().at(-1), "waiting");
    const told = page.told.length;
    poll.failed(new TypeError("late"));
    body("[]");
    equal(page.told.length, told, "what is over says nothing:");
    page.untilTried();
    const last = page.requests.at(-1);
    page.call("close");
    equal(last.init.signal.aborted, true);
  },

  works_where_everything_is_forbidden(open) {
    const denied = () => {
      throw new Error("forbidden here");
    };
    globalThis.WebSocket = denied;
    globalThis.fetch = denied;
    const page = open({ polling: true }).start();
    equal(page.states(), ["connecting"]);
    page
      .until(() => page.states().includes("waiting"))
      .untilTried()
      .untilTried();
    equal(page.of("error"), [], "that is no error, only no connection:");
  },

  releases_everything_on_close(open) {
    const page = open().connect().subscribe().subscribed();
    const { socket } = page;
    page.call("close");
    equal(socket.types().at(-1), "bye");
    equal(socket.closed, 1000);
    equal([socket.onopen, socket.onmessage, socket.onclose], [null, null, null]);
    equal(page.timers.size, 0);
    const before = page.told.length;
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    page.call("close");
    page.call("start");
    equal(page.told.length, before, "the page is not listened to any more:");
    page.release();

    const open2 = open().connect();
    dispatchEvent(new Event("offline"));
    sure(open2.socket.types().includes("ping"), "while it is open, it does listen");
  },

  a_thousand_clients_leave_no_memory_behind(open) {
    const life = () => {
      const page = open().connect().subscribe().subscribed();
      page.send(ID, "x".repeat(1000));
      page.socket.receive([{ type: "message", offset: 1 }]);
      page.end();
    };
    for (let n = 0; n < 20; n++) life();
    const before = open.memory();
    for (let n = 0; n < 1000; n++) life();
    equal(open.memory(), before, "bytes of memory:");
  },
};
