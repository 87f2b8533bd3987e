// Presence: one join and one leave per user, however many devices; 10 s of grace period; correct again after crashes of
// clients and of the server.

import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";

const CHANNEL = "presence-hall";

async function follow(...people: Person[]): Promise<void> {
  for (const person of people) {
    await person.run(async (client, name) => {
      const channel = client.channel(name);
      channel.on("joined", ({ user }) => record("moves", `+${user}`));
      channel.on("left", ({ user }) => record("moves", `-${user}`));
      await channel.subscribe();
    }, CHANNEL);
  }
}

const moves = async (person: Person) => (await person.records("moves")).map(({ value }) => String(value));

/**
 * To be called before the server is killed: it stores joins right after announcing them, without waiting for the disk.
 * Messages take the same path, so when two have been acked one after the other, earlier joins are stored as well.
 */
async function storeJoins(person: Person): Promise<void> {
  await person.run(async (client) => {
    for (const text of ["one", "two"]) await client.channel("news").send(text);
  });
}

const waitForMembers = (person: Person, ...users: string[]) =>
  person.waitFor(
    `members ${users}`,
    (client, [channel, users]) => {
      const members = client.channel(channel).members.map(({ user }) => user);
      return members.sort().join() === users;
    },
    [CHANNEL, users.join()] as const,
  );

everyTransport("a user with several devices joins once and leaves once", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  await follow(ada, ben, phone);
  for (const person of [ada, ben, phone]) await waitForMembers(person, "ada", "ben");
  await storeJoins(ada);
  await scene.middle();
  for (const person of [ada, ben, phone]) await waitForMembers(person, "ada", "ben");
  await scene.leave(ben);
  // A client that connects after one device has gone finds the user still present.
  const cy = await scene.enter("cy");
  await follow(cy);
  await waitForMembers(cy, "ada", "ben", "cy");
  await scene.leave(phone);
  for (const person of [ada, cy]) await waitForMembers(person, "ada", "cy");
  expect(await moves(ada)).toEqual(["+ben", "+cy", "-ben"]);
  expect(await moves(cy)).toEqual(["-ben"]);
});

everyTransport(
  "a crash is detected after the grace period, and a reload is not taken for one",
  async (scene) => {
    const [ada, ben, cy] = await scene.all("ada", "ben", "cy");
    await follow(ada, ben, cy);
    await waitForMembers(ada, "ada", "ben", "cy");
    await storeJoins(ada);
    await scene.middle(async () => {
      await scene.crash(ben);
    });
    const gone = Date.now();
    // Cy returns with another session, as after a reload.
    await scene.crash(cy);
    const again = await scene.enter("cy");
    await follow(again);
    await waitForMembers(ada, "ada", "cy");
    expect(await moves(ada)).toEqual(["+ben", "+cy", "-ben"]);
    const left = (await ada.records("moves")).findLast(({ value }) => value === "-ben")?.at ?? 0;
    // A polling connection lives for 10 s after its last poll; then the same grace period follows.
    const bound = scene.variant === "by polling" ? 25_000 : 15_000;
    expect(left - gone).toBeLessThan(bound);
    await waitForMembers(again, "ada", "cy");
  },
  { variants: ["over WebSocket", "by polling", "across a restart"] },
);

it("a user who unsubscribes has left at once, and comes back", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada, ben);
  await waitForMembers(ada, "ada", "ben");
  await ben.run((client, channel) => client.channel(channel).unsubscribe(), CHANNEL);
  await waitForMembers(ada, "ada");
  const [came, went] = await ada.records("moves");
  expect((went?.at ?? 0) - (came?.at ?? 0)).toBeLessThan(5000);
  await ben.run((client, channel) => client.channel(channel).subscribe(), CHANNEL);
  await waitForMembers(ada, "ada", "ben");
  expect(await moves(ada)).toEqual(["+ben", "-ben", "+ben"]);
});
