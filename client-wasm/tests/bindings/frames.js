// What is sent and received on a connection that works.

import { equal, ID, sure } from "./harness.js";

export const TESTS = {
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
    equal(page.core.accept(page.handle, 4, 1), false, "an entry from nowhere:");
    equal(page.core.accept(99, 1, 1), false);
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
};
