// Typing: sent at the first key, withdrawn after a pause or with the message, expired when nothing more is received;
// never shown to the user's own devices.

import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";
import { until } from "../harness/until";

const CHANNEL = "private-room";

/** Subscribes, and records who types whenever that changes, and each time the subscription begins or begins again. */
async function follow(...people: Person[]): Promise<void> {
  for (const person of people) {
    await person.run(async (client, name) => {
      const channel = client.channel(name);
      channel.on("subscribed", () => record("subscribed", name));
      channel.on("typing", (typists) =>
        record("typing", typists.map(({ user, name }) => `${user} ${name}`).join()),
      );
      await channel.subscribe();
    }, CHANNEL);
  }
}

const subscribed = async (person: Person) => (await person.records("subscribed")).length;
const received = async (person: Person) => (await person.records("typing")).map(({ value }) => value);

/** Presses a key every 200 ms until `stop` is called in the page. */
const type = (person: Person) =>
  person.run((client, channel) => {
    const press = () => {
      client.channel(channel).typing();
      record("key", "");
    };
    press();
    const timer = setInterval(press, 200);
    Object.assign(window, { stop: () => clearInterval(timer) });
  }, CHANNEL);

const stop = (person: Person) => person.run(() => (window as unknown as { stop(): void }).stop());

const typing = (person: Person, count: number) =>
  person.waitFor(
    `${count} typing`,
    (client, [channel, count]) => client.channel(channel).typists.length === count,
    [CHANNEL, count] as const,
  );

everyTransport("typing is shown, and no longer after a pause", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  await follow(ada, ben, phone);
  await type(ben);
  await typing(ada, 1);
  expect(await received(ada)).toEqual(["ben BEN"]);
  await scene.middle();
  const keys = (await ben.records("key")).length;
  await until("Ben has pressed more keys", async () => (await ben.records("key")).length > keys);
  await typing(ada, 1);
  await stop(ben);
  await typing(ada, 0);
  const last = (await ben.records("key")).at(-1)?.at ?? 0;
  const pause = ((await ada.records("typing")).at(-1)?.at ?? 0) - last;
  expect(pause).toBeGreaterThan(2500);
  expect(pause).toBeLessThan(6500);
  expect([await received(ben), await received(phone)]).toEqual([[], []]);
});

everyTransport(
  "continued typing is shown without a break",
  async (scene) => {
    const [ada, ben] = await scene.all("ada", "ben");
    await follow(ada, ben);
    await type(ben);
    // For longer than a receiver's timeout.
    await until("Ben has pressed 40 keys", async () => (await ben.records("key")).length >= 40);
    expect(await received(ada)).toEqual(["ben BEN"]);
    await stop(ben);
  },
  { variants: ["over WebSocket", "by polling"] },
);

everyTransport("typing ends with the message", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada, ben);
  const before = await subscribed(ada);
  await scene.middle();
  // A key that is pressed once is not told to those who subscribe a moment later.
  if (scene.variant.startsWith("across"))
    await until("Ada is subscribed again", async () => (await subscribed(ada)) > before);
  await ada.run((client, channel) => {
    client.channel(channel).on("message", () => record("message", client.channel(channel).typists.length));
  }, CHANNEL);
  await ben.run((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  const sent = await ben.run(async (client, channel) => {
    const { at } = await client.channel(channel).send({ text: "done" });
    return at;
  }, CHANNEL);
  await typing(ada, 0);
  // At once: not because of the pause of 3 s.
  expect(((await ada.records("typing")).at(-1)?.at ?? 0) - sent).toBeLessThan(2500);
  // Discarding the text withdraws it too.
  await ben.run((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  await ben.run((client, channel) => client.channel(channel).stopTyping(), CHANNEL);
  await typing(ada, 0);
});

it("typing of a user whose connection died expires", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada, ben);
  await ben.run((client, channel) => client.channel(channel).typing(), CHANNEL);
  await typing(ada, 1);
  await scene.crash(ben);
  await typing(ada, 0);
  const [began, ended] = await ada.records("typing");
  expect((ended?.at ?? 0) - (began?.at ?? 0)).toBeLessThan(8000);
});
