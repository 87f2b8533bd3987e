// Limits per connection and per user, configurable; a typed rate_limited error that the client obeys by itself, its outbox
// keeping the order.

import { expect, it } from "vitest";
import { everyWay, Scene } from "../harness/people";

everyWay(
  "beyond the messages of a minute, the rest waits and follows in order",
  async (scene) => {
    const [ada, ben] = await scene.all("ada", "ben");
    const phone = await scene.enter("ada");
    for (const person of [ada, ben]) {
      await person.do(async (client) => {
        client.channel("news").on("message", ({ data }) => note("heard", data));
        await client.channel("news").subscribe();
      });
    }
    // 60 a minute are one a second: a minute's worth goes at once, and what is more waits for its turn.
    await ada.do((client) => {
      for (let n = 1; n <= 63; n++) {
        client
          .channel("news")
          .send(n)
          .then(
            () => note("stored", n),
            ({ code }) => note("failed", code),
          );
      }
    });
    await scene.middle();
    await ben.sees("all", () => window.people.notes("heard").length === 63);
    const wanted = Array.from({ length: 63 }, (_, at) => at + 1);
    expect((await ben.notes("heard")).map(({ value }) => value)).toEqual(wanted);
    await ada.sees("all stored", () => window.people.notes("stored").length === 63);
    expect((await ada.notes("stored")).map(({ value }) => value)).toEqual(wanted);
    expect(await ada.notes("failed")).toEqual([]);
    // It is the user who has the limit, and not the device.
    const start = Date.now();
    await phone.do(async (client) => void (await client.channel("news").send("from the phone")));
    await ben.do(async (client) => void (await client.channel("news").send("from Ben")));
    expect(Date.now() - start).toBeLessThan(20_000);
  },
  { args: ["--sends-per-minute", "60"], ways: ["over WebSocket", "by polling"] },
);

it("what is too long, too big or too much is refused with its own code, and nothing else is", async () => {
  const args = [
    ["--max-text-characters", "20"],
    ["--max-payload-bytes", "1000"],
    ["--max-subscriptions", "3"],
  ].flat();
  const scene = await Scene.open("over WebSocket", { args });
  const [ada, ben] = await scene.all("ada", "ben");
  const send = (data: unknown) => ada.fails((client, data) => client.channel("news").send(data), data);
  // Characters, not bytes: each of these has four.
  expect(await send({ text: "🦊".repeat(20) })).toBe("");
  expect(await send({ text: "🦊".repeat(21) })).toBe("too_large");
  expect(await send("x".repeat(21))).toBe("too_large");
  expect(await send({ note: "x".repeat(500) })).toBe("");
  expect(await send({ note: "x".repeat(1000) })).toBe("too_large");
  for (const channel of ["a", "b", "c"])
    expect(await ben.fails((client, channel) => client.channel(channel).subscribe(), channel)).toBe("");
  expect(await ben.fails((client) => client.channel("d").subscribe())).toBe("too_many_subscriptions");
  await ben.do((client) => client.channel("a").unsubscribe());
  expect(await ben.fails((client) => client.channel("news").subscribe({ recent: 10 }))).toBe("");
  await ben.sees("what was let through", (client) => client.channel("news").position?.offset === 2);
});

it("too many requests in a second are refused with when to ask again", async () => {
  const scene = await Scene.open("over WebSocket", { args: ["--requests-per-second", "2"] });
  const [ada, ben] = await scene.all("ada", "ben");
  const codes = await ada.do((client) =>
    Promise.all(
      Array.from({ length: 30 }, () =>
        client.getStatus(["ben"]).then(
          () => "",
          ({ code, retryAfterMs }) => `${code} ${retryAfterMs > 0}`,
        ),
      ),
    ),
  );
  expect(new Set(codes)).toEqual(new Set(["", "rate_limited true"]));
  // Somebody else is not held up.
  expect((await ben.do((client) => client.getStatus(["ada"])))[0]?.status).toBe("online");
});
