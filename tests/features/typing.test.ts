// Typing: sent at the first key, withdrawn after a pause or with the message, expired when nothing more is received;
// never shown to the user's own devices.

import { expect, it } from "vitest";
import { everyWay, type Person, Scene } from "../harness/people";
import { until } from "../harness/until";

const CHANNEL = "private-room";

/** Subscribes, and records who types whenever that changes. */
async function follow(...people: Person[]): Promise<void> {
  for (const person of people) {
    await person.do(async (client, name) => {
      const channel = client.channel(name);
      channel.on("typing", (typists) =>
        note("typing", typists.map(({ user, name }) => `${user} ${name}`).join()),
      );
      await channel.subscribe();
    }, CHANNEL);
  }
}

const heard = async (person: Person) => (await person.notes("typing")).map(({ value }) => value);

/** Presses a key every 200 ms until `stop` is called in the page. */
const type = (person: Person) =>
  person.do((client, channel) => {
    const press = () => {
      client.channel(channel).typing();
      note("key", "");
    };
    press();
    const timer = setInterval(press, 200);
    Object.assign(window, { stop: () => clearInterval(timer) });
  }, CHANNEL);

const stop = (person: Person) => person.do(() => (window as unknown as { stop(): void }).stop());

const typing = (person: Person, count: number) =>
  person.sees(
    `${count} typing`,
    (client, [channel, count]) => client.channel(channel).typists.length === count,
    [CHANNEL, count] as const,
  );

everyWay("typing is shown, and no longer after a pause", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  await follow(ada, ben, phone);
  await type(ben);
  await typing(ada, 1);
  expect(await heard(ada)).toEqual(["ben BEN"]);
  await scene.middle();
  const keys = (await ben.notes("key")).length;
  await until("Ben has pressed more keys", async () => (await ben.notes("key")).length > keys);
  await typing(ada, 1);
  await stop(ben);
  await typing(ada, 0);
  const last = (await ben.notes("key")).at(-1)?.at ?? 0;
  const pause = ((await ada.notes("typing")).at(-1)?.at ?? 0) - last;
  expect(pause).toBeGreaterThan(2500);
  expect(pause).toBeLessThan(6500);
  expect([await heard(ben), await heard(phone)]).toEqual([[], []]);
});

everyWay(
  "continued typing is shown without a break",
  async (scene) => {
    const [ada, ben] = await scene.all("ada", "ben");
    await follow(ada, ben);
    await type(ben);
    // For longer than a receiver's timeout.
    await until("Ben has pressed 40 keys", async () => (await ben.notes("key")).length >= 40);
    expect(await heard(ada)).toEqual(["ben BEN"]);
    await stop(ben);
  },
  { ways: ["over WebSocket", "by polling"] },
);

everyWay("typing ends with the message", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada, ben);
  await scene.middle();
  await ada.do((client, channel) => {
    client.channel(channel).on("message", () => note("message", client.channel(channel).typists.length));
  }, CHANNEL);
  await ben.do((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  const sent = await ben.do(async (client, channel) => {
    const { at } = await client.channel(channel).send({ text: "done" });
    return at;
  }, CHANNEL);
  await typing(ada, 0);
  // At once: not because of the pause of 3 s.
  expect(((await ada.notes("typing")).at(-1)?.at ?? 0) - sent).toBeLessThan(2500);
  // Discarding the text withdraws it too.
  await ben.do((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  await ben.do((client, channel) => client.channel(channel).stopTyping(), CHANNEL);
  await typing(ada, 0);
});

it("typing of a user whose connection died expires", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada, ben);
  await ben.do((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  await scene.crash(ben);
  await typing(ada, 0);
  const [began, ended] = await ada.notes("typing");
  expect((ended?.at ?? 0) - (began?.at ?? 0)).toBeLessThan(8000);
});
