// History: pages of the log in both directions, seamless with live messages.

import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";

const CHANNEL = "private-diary";

/** Sends the numbers of a range, and waits until they are stored. */
const write = (person: Person, from: number, to: number) =>
  person.run(
    async (client, [channel, from, to]) => {
      const sends = [];
      for (let n = from; n <= to; n++) sends.push(client.channel(channel).send({ n }));
      await Promise.all(sends);
    },
    [CHANNEL, from, to] as const,
  );

const numbers = (person: Person) =>
  person.run(
    (client, channel) =>
      window.people.list(client, channel).rows.map(({ data }) => (data as { n: number }).n),
    CHANNEL,
  );

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

everyTransport("older pages and live messages make one list without a gap or a duplicate", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  await write(ben, 1, 120);
  await ada.run(async (client, channel) => {
    window.people.list(client, channel);
    await client.channel(channel).subscribe({ recent: 15 });
  }, CHANNEL);
  await ada.waitFor(
    "the last ones",
    (client, channel) => window.people.list(client, channel).rows.length === 15,
    CHANNEL,
  );
  expect(await ada.run((client, channel) => window.people.list(client, channel).hasOlder, CHANNEL)).toBe(
    true,
  );
  // Pages are requested while new messages arrive, and while the connection is replaced.
  const load = () => ada.run((client, channel) => window.people.list(client, channel).loadOlder(25), CHANNEL);
  const more = await Promise.all([load(), write(ben, 121, 140)]);
  expect(more[0]).toBe(true);
  const loading = ada.run(
    (client, channel) =>
      void window.people
        .list(client, channel)
        .loadOlder(25)
        .then((more) => record("more", more)),
    CHANNEL,
  );
  await scene.middle(async () => {
    await loading;
    await ben.run((client, channel) => {
      for (let n = 141; n <= 160; n++) void client.channel(channel).send({ n });
    }, CHANNEL);
  });
  await ada.waitFor("the page", () => window.people.records("more").length === 1);
  while (await load());
  await ada.waitFor(
    "all that came meanwhile",
    (client, channel) => window.people.list(client, channel).rows.length >= 160,
    CHANNEL,
  );
  expect(await numbers(ada)).toEqual(upTo(160));
  expect(await ada.run((client, channel) => window.people.list(client, channel).hasOlder, CHANNEL)).toBe(
    false,
  );
});

it("pages go both ways, and say whether there is more", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await write(ben, 1, 12);
  const page = (options: { before?: number; after?: number; limit?: number }) =>
    ada.run(
      async (client, [channel, options]) => {
        const { messages, more } = await client.channel(channel).history(options);
        return { offsets: messages.map(({ offset }) => offset), more };
      },
      [CHANNEL, options] as const,
    );
  expect(await page({ limit: 3 })).toEqual({ offsets: [10, 11, 12], more: true });
  expect(await page({ before: 3 })).toEqual({ offsets: [1, 2], more: false });
  expect(await page({ after: 10 })).toEqual({ offsets: [11, 12], more: false });
  expect(await page({ after: 0, limit: 2 })).toEqual({ offsets: [1, 2], more: true });
  expect(await page({ before: 1 })).toEqual({ offsets: [], more: false });
  // A subscription would not have noticed.
  expect(await ada.run((client, channel) => client.channel(channel).subscription, CHANNEL)).toBe("none");
  expect(
    await ada.errorCode(
      (client, channel) => client.channel(channel).history({ before: 2, after: 1 }),
      CHANNEL,
    ),
  ).not.toBe("");
  expect(await ada.errorCode((client) => client.channel("private-user.ben").history())).toBe("forbidden");
});

it("history ends at the oldest stored entry", async () => {
  const scene = await Scene.open("over WebSocket", { args: ["--retention", "50"] });
  const [ada, ben] = await scene.all("ada", "ben");
  await write(ben, 1, 150);
  await ada.run(async (client, channel) => {
    window.people.list(client, channel);
    await client.channel(channel).subscribe({ recent: 5 });
  }, CHANNEL);
  const load = () =>
    ada.run((client, channel) => window.people.list(client, channel).loadOlder(200), CHANNEL);
  while (await load());
  const seen = await numbers(ada);
  expect(seen).toEqual(upTo(150).slice(150 - seen.length));
  expect(seen.length).toBeLessThan(150);
});
