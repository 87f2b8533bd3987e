// Connecting, by WebSocket and by polling; and what ends a connection.

import { CLOSED, CLOSING, CONNECTION, equal, ID, promise, sure } from "./harness.js";

export const TESTS = {
  connects_and_says_hello(open) {
    const page = open().start();
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

  takes_a_socket_that_is_open_already(open) {
    const page = open();
    const early = new WebSocket();
    early.open();
    page.early.push(early);
    page.start();
    equal(early.types(), ["hello"], "its event has passed, and is not waited for:");
    early.receive([{ type: "welcome" }]);
    equal(page.states(), ["connecting", "connected"]);
    early.ended(4012);
    page.untilTried();
    equal(page.sockets.length, 2, "the next one is new:");
    equal(page.socket.sent, [], "and nothing is sent before it is open:");
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
    body(JSON.stringify([{ type: "polled", seq: 1 }, { type: "welcome" }]));
    equal(page.of("state").at(-1).status, "connected");
    equal(page.of("state").at(-1).transport, "polling");
    page.until(() => page.requests.length === 2);
    const next = page.requests.at(-1);
    equal([next.frames[1].ack, next.frames[1].connection], [1, CONNECTION]);
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
