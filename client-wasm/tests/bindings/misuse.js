// A host that calls back from inside a call or throws, and a server that sends anything.

import { CONNECTION, equal, ID, sure } from "./harness.js";

export const TESTS = {
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
        page.call("polled", { seq: number, connection: "none" });
        page.call("token_accepted", { expires_in_ms: number });
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
        equal(page.core.accept(handle, number, 1), false);
      }
    }
    const other = open().connect().subscribe().subscribed();
    for (const number of odd) {
      other.socket.receive([{ type: "subscribed", epoch: "e", offset: number, head: number }]);
      other.onBatch = () => {
        for (const offset of odd) other.core.accept(other.handle, offset, 1);
        other.call("goaway", { delay_ms: number, spread_ms: number, reason: "" });
        const sizes = { payload_bytes: number, batch_bytes: number, batch_frames: number };
        const times = { ping_interval_ms: number, hold_ms: number, token_expires_in_ms: number };
        other.call("welcome", { ...sizes, ...times, connection: CONNECTION, user: "ada" });
        other.call("welcome", { connection: "no UUID", user: "ada" });
      };
    }
    sure(other.told.length > 0, "it is alive");
    equal(other.core.accept(0, 1, 1), false);
  },
};
