// Limits per connection and per user, configurable; the client obeys a typed rate_limited error automatically, and its
// outbox keeps the order.

import { expect, it } from "vitest";
import { Scene } from "../harness/scene";
import { until } from "../harness/until";

it("above the message rate limit, the rest waits and follows in order, on each transport", async () => {
  const scene = await Scene.open("over WebSocket", { args: ["--sends-per-minute", "30"] });
  const watcher = await scene.enter("watcher");
  await watcher.run(async (client) => {
    client.channel("news").on("message", ({ user, data }) => record(user, data));
    await client.channel("news").subscribe();
  });
  const ada = await scene.enter("ada");
  const phone = await scene.enter("ada", { transports: ["polling"] });
  const ben = await scene.enter("ben", { transports: ["polling"] });
  const start = Date.now();
  for (const [person, count] of [
    [ada, 32],
    [ben, 32],
  ] as const) {
    await person.run((client, count) => {
      client.channel("news").on("sending", ({ status, error }) => record(status, error?.code ?? ""));
      for (let n = 1; n <= count; n++) void client.channel("news").send(n);
    }, count);
  }
  await watcher.waitFor(
    "what a minute allows",
    () => Math.min(window.people.records("ada").length, window.people.records("ben").length) === 30,
  );
  // The limit applies to the user, not to the device: this one waits as well, and so does the rest.
  await phone.run((client) => void client.channel("news").send("from the phone"));
  await until(
    "everything has come",
    async () => (await watcher.records("ada")).length === 33 && (await watcher.records("ben")).length === 32,
    { timeoutMs: 100_000, seen: async () => [await watcher.records("ada"), await watcher.records("ben")] },
  );
  expect(Date.now() - start).toBeGreaterThan(50_000);
  const received = async (name: string) =>
    (await watcher.records(name)).map(({ value }) => value).filter((value) => typeof value === "number");
  const wanted = Array.from({ length: 32 }, (_, at) => at + 1);
  expect(await received("ada")).toEqual(wanted);
  expect(await received("ben")).toEqual(wanted);
  for (const person of [ada, ben]) {
    expect((await person.records("stored")).length).toBe(32);
    expect(await person.records("failed")).toEqual([]);
  }
});

it("content that is too long, too big or too much is refused with its own code, and nothing else is", async () => {
  const args = [
    ["--max-text-characters", "20"],
    ["--max-payload-bytes", "1000"],
    ["--max-subscriptions", "3"],
  ].flat();
  const scene = await Scene.open("over WebSocket", { args });
  const [ada, ben] = await scene.all("ada", "ben");
  const send = (data: unknown) => ada.errorCode((client, data) => client.channel("news").send(data), data);
  // Characters, not bytes: each of these has four.
  expect(await send({ text: "🦊".repeat(20) })).toBe("");
  expect(await send({ text: "🦊".repeat(21) })).toBe("too_large");
  expect(await send("x".repeat(21))).toBe("too_large");
  expect(await send({ note: "x".repeat(500) })).toBe("");
  expect(await send({ note: "x".repeat(1000) })).toBe("too_large");
  for (const channel of ["a", "b", "c"])
    expect(await ben.errorCode((client, channel) => client.channel(channel).subscribe(), channel)).toBe("");
  expect(await ben.errorCode((client) => client.channel("d").subscribe())).toBe("too_many_subscriptions");
  await ben.run((client) => client.channel("a").unsubscribe());
  expect(await ben.errorCode((client) => client.channel("news").subscribe({ recent: 10 }))).toBe("");
  await ben.waitFor("what was let through", (client) => client.channel("news").position?.offset === 2);
});

it("too many requests in a second are refused with the time to retry", async () => {
  const scene = await Scene.open("over WebSocket", { args: ["--requests-per-second", "2"] });
  const [ada, ben] = await scene.all("ada", "ben");
  const codes = await ada.run((client) =>
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
  // Other users are not affected.
  expect((await ben.run((client) => client.getStatus(["ada"])))[0]?.status).toBe("online");
});
