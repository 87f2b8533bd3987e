// The tests of client-wasm/src/bindings/tests.rs: a host and a WebSocket that do what a test says, and timers that run when
// it says so. Nothing here waits, and nothing reaches a network.

// The same order as in client-wasm/src/bindings/mod.rs, src/browser/host.rs and src/browser/events.rs.
const OPERATIONS =
  "Start Close Subscribe Unsubscribe Send Ask Answered Typing HeardTyping Mark Marked Live Welcome Polled Subscribed Unsubscribed Ack Refused Ping Goaway Violation Token TokenFailed Report";
const TOLD = "State Subscribed Gap Ended Sending FetchToken Quiet Error Log Answer";
const STATES = ["connecting", "connected", "waiting", "offline", "closed"];
const SENDS = ["queued", "sent", "stored", "failed"];
const operation = numbers(OPERATIONS);
const told = TOLD.split(" ");

const CONNECTION = "01890000-0000-7000-8000-0000000000aa";
const ID = "01890000-0000-7000-8000-0000000000bb";

function numbers(names) {
  return Object.fromEntries(names.split(" ").map((name, number) => [name, number]));
}

function equal(found, wanted, what = "") {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what} found ${a}, wanted ${b}`);
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
    this.batches = [];
    this.delivered = [];
    this.handle = -1;
    this.free = false;
  }

  start() {
    this.core = this.make(this.host(), this.websocket, this.polling);
    this.call("Start");
    return this;
  }

  host() {
    return {
      batch: (frames) => {
        this.batches.push(frames);
        this.onBatch?.(frames);
        if (Array.isArray(frames)) for (const frame of frames) this.unpack(frame);
      },
      tell: (what, ...rest) => {
        const line = [told[what], ...rest];
        this.told.push(line);
        this.onTell?.(line);
      },
      handler: (what, id) => (value) => {
        if (!this.free) this.core.happened(what, id, value);
      },
    };
  }

  call(name, [a = -1, b = -1, c = -1, d = -1, e = -1] = [], x, y, z, data) {
    return this.core.call(operation[name], a, b, c, d, e, x, y, z, data);
  }

  unpack(frame) {
    if (frame?.type === "welcome") this.call("Welcome", [25000, 25000, -1, 32768, 65536], CONNECTION, "ada");
    else if (frame?.type === "subscribed")
      this.call("Subscribed", [this.handle, frame.offset, frame.head, frame.from], frame.epoch, frame.gap);
    else if (frame?.type === "message") {
      if (this.core.accept(this.handle, frame.offset)) this.delivered.push(frame.offset);
    } else if (frame?.type === "ack") this.call("Ack", [frame.offset, frame.at], frame.id);
    else if (frame?.type === "error")
      this.call("Refused", [0, frame.handle ?? -1, -1], frame.code, frame.message, frame.id);
    else if (frame?.type === "polled") this.call("Polled", [frame.seq]);
    else this.call("Violation", [], "what is this?");
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
    this.handle = this.call("Subscribe", [-1, offset], channel, epoch);
    return this;
  }

  send(id, data = 1) {
    const frame = { type: "send", id, channel: "news", data };
    return this.call("Send", [], id, "news", undefined, JSON.stringify(frame));
  }

  subscribed() {
    this.socket.receive([{ type: "subscribed", epoch: "e", offset: 0, head: 0 }]);
    return this;
  }

  states() {
    return this.of("State").map(([status]) => STATES[status]);
  }

  of(kind) {
    return this.told.filter(([what]) => what === kind).map(([, ...rest]) => rest);
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
      this.call("Close");
      this.release();
    }
  }

  release() {
    this.free = true;
    this.core.free();
  }
}

class Socket {
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
    this.sent = [];
    world.sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
    this.onsend?.();
  }
  close(code) {
    this.closed = code;
  }
  open() {
    this.onopen?.({});
  }
  receive(frames) {
    this.text(JSON.stringify(frames));
  }
  text(data) {
    this.onmessage?.({ data });
  }
  ended(code) {
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
export function run(name, make, memory) {
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
    equal(page.of("State")[1].slice(0, 4), [1, 1, 0, -1], "status, transport, try, wait:");
    page.call("Ping", [7]);
    equal(page.socket.types().includes("pong"), false, "a ping from nowhere is none:");
  },

  delivers_each_entry_once_and_in_order(open) {
    const page = open().connect().subscribe().subscribed();
    equal(page.of("Subscribed"), [[page.handle, 0, 0, 1, "e", null, null]]);
    const entries = (...offsets) =>
      page.socket.receive(offsets.map((offset) => ({ type: "message", offset })));
    entries(1, 2, 2, 1, 3);
    equal(page.delivered, [1, 2, 3]);
    entries(5);
    equal(page.delivered, [1, 2, 3], "nothing after a hole:");
    equal(page.states().at(-1), "waiting", "a hole is asked for again:");
    equal(page.core.accept(page.handle, 4), false, "an entry from nowhere:");
    equal(page.core.accept(99, 1), false);
    equal(page.call("Live", [page.handle]), 0);
    page.untilTried();
    page.socket.open();
    const again = page.socket.sent[0][1];
    equal([again.epoch, again.offset], ["e", 3], "from the certain position:");
  },

  answers_with_an_error_in_words(open) {
    const page = open().connect();
    equal(page.call("Subscribe", [], "two words"), -1);
    const [code, sentence] = page.of("Answer").at(-1).slice(4);
    equal(code, "invalid_channel");
    sure(sentence.length > 10, "the sentence says something");
    equal(page.call("Subscribe", [-1, 5], "news"), -1, "an offset without an epoch:");
    equal(page.of("Answer").at(-1)[4], "invalid_option");
    equal(page.call("Send", [], "not an id", "news", undefined, "{}"), -1);
    equal(page.of("Answer").at(-1)[4], "invalid_option");
    equal(page.call("Report"), -1);
    sure(page.of("Answer").at(-1)[4].includes("opening a WebSocket"), "the report tells what happened");
    const handle = page.call("Subscribe", [], "news");
    equal(page.call("Subscribe", [], "news"), handle, "the same subscription:");
  },

  tells_what_became_of_a_send(open) {
    const page = open().connect();
    const shipped = {
      type: "send",
      id: ID,
      channel: "news",
      event: "order.shipped",
      data: { a: "\u0000 é" },
    };
    equal(page.call("Send", [], ID, "news", undefined, JSON.stringify(shipped)), 0);
    const [frame] = page.socket.sent.at(-1);
    equal(frame, shipped);
    page.socket.receive([{ type: "ack", id: ID, offset: 12, at: 1700000000000 }]);
    const said = page.of("Sending").map(([status, offset, at, , id]) => [SENDS[status], offset, at, id]);
    equal(said, [
      ["queued", -1, -1, ID],
      ["sent", -1, -1, ID],
      ["stored", 12, 1700000000000, ID],
    ]);
    const other = ID.replace("bb", "cc");
    page.send(other);
    page.socket.receive([{ type: "error", code: "forbidden", message: "no", id: other }]);
    const failed = page.of("Sending").at(-1);
    equal([SENDS[failed[0]], failed[5], failed[6]], ["failed", "forbidden", "no"]);
  },

  asks_until_it_is_answered_and_says_what_is_fleeting_now_or_never(open) {
    const page = open().connect();
    const question = JSON.stringify({ type: "get_status", id: ID, users: ["bob"] });
    equal(page.call("Ask", [30_000], ID, undefined, undefined, question), 1);
    equal(page.socket.sent.at(-1)[0].type, "get_status");
    equal(page.call("Ask", [0], undefined, undefined, undefined, '{"type":"signal"}'), 1);
    equal(page.socket.sent.at(-1)[0].type, "signal");
    page.socket.ended(1006);
    equal(page.call("Ask", [0], undefined, undefined, undefined, '{"type":"signal"}'), 0, "nobody is there:");
    equal(page.call("Ask", [], undefined, undefined, undefined, '{"type":"idle","idle":true}'), 1);
    page.untilTried();
    page.socket.open();
    page.socket.receive([{ type: "welcome" }]);
    const again = page.socket.sent.flat().map(({ type }) => type);
    equal(again, ["hello", "get_status", "idle"]);
    page.onBatch = () => {
      equal(page.call("Answered", [], ID), 1);
      equal(page.call("Answered", [], ID), 0, "once:");
    };
    page.socket.receive([]);
    equal(page.call("Answered", [], ID), 0, "outside of a batch:");
  },

  announces_typing_and_marks_receipts(open) {
    const page = open().connect().subscribe().subscribed();
    page.call("Typing", [page.handle, 1]);
    equal(page.socket.sent.at(-1), [{ type: "typing", channel: "news", typing: true }]);
    page.call("Typing", [page.handle, 0]);
    equal(page.socket.sent.at(-1), [{ type: "typing", channel: "news", typing: false }]);
    page.onBatch = () => page.call("Marked", [page.handle, 0, 0]);
    page.socket.receive([]);
    page.call("Mark", [page.handle, 3, 2]);
    page.call("Unsubscribe", [page.handle]);
    const receipt = page.socket.sent.flat().find(({ type }) => type === "mark");
    equal(receipt, { type: "mark", channel: "news", epoch: "e", delivered: 3, read: 2 });
    page.call("HeardTyping", [page.handle, 7, 1]);
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
    equal(page.of("State").at(-1)[4], "banned");
    equal(page.timers.size, 0, "nothing is tried any more:");
    page.subscribe();
    equal(page.of("Answer").at(-1)[4], "closed");
  },

  takes_calls_from_inside_the_hosts_own_calls(open) {
    const page = open();
    page.onTell = ([what, status]) => {
      if (what === "State" && STATES[status] === "connected") {
        page.subscribe();
        page.send(ID);
      }
      if (what === "Subscribed") {
        page.call("Unsubscribe", [page.handle]);
        page.call("Close");
      }
    };
    page.onBatch = () => page.call("Subscribe", [], "other");
    page.start();
    page.socket.onsend = () => page.call("Report");
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
    equal(SENDS[page.of("Sending").at(-1)[0]], "failed", "what was on its way is told:");
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
    equal(page.states().at(-1), "waiting", "what cannot be unpacked is a violation:");
    equal(page.of("Error").at(-1)[4], "protocol_violation");
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
      equal(page.of("Error").at(-1)?.[4], "protocol_violation", `${data}:`);
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
        page.call("Live", [number]);
        page.call("Ack", [number, number], ID);
        page.call("Polled", [number]);
        page.call("Ping", [number]);
        page.call("Unsubscribed", [number], "news", "no such code", "");
        page.call("Subscribed", [handle, number, number, number], "e", "too_far");
        page.call("Subscribe", [number, number], "elsewhere", "e");
        page.call("Goaway", [number, number], "");
        page.call("Refused", [number, number, number], "forbidden", "", undefined);
        equal(page.core.accept(handle, number), false);
      }
    }
    const other = open().connect().subscribe().subscribed();
    for (const number of odd) {
      other.socket.receive([{ type: "subscribed", epoch: "e", offset: number, head: number }]);
      other.onBatch = () => {
        for (const offset of odd) other.core.accept(other.handle, offset);
        other.call("Goaway", [number, number], "");
        other.call("Welcome", [number, number, number, number, number], CONNECTION, "ada");
        other.call("Welcome", [], "no UUID", "ada");
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
    equal(page.of("State").at(-1).slice(0, 2), [1, 2], "connected, by polling:");
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
    page.call("Close");
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
    equal(page.of("Error"), [], "that is no error, only no connection:");
  },

  releases_everything_on_close(open) {
    const page = open().connect().subscribe().subscribed();
    const { socket } = page;
    page.call("Close");
    equal(socket.types().at(-1), "bye");
    equal(socket.closed, 1000);
    equal([socket.onopen, socket.onmessage, socket.onclose], [null, null, null]);
    equal(page.timers.size, 0);
    const before = page.told.length;
    dispatchEvent(new Event("offline"));
    dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    page.call("Close");
    page.call("Start");
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
