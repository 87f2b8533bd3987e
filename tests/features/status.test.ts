// Online status: online, away (idle or manual), offline; last seen; several devices per user.

import { expect, it } from "vitest";
import { everyTransport, type Person, Scene } from "../harness/scene";

/** Lists all users who are online, and records every change. */
async function follow(person: Person): Promise<void> {
  await person.run(async (client) => {
    const users = client.channel("presence-users");
    users.on("members", (members) => {
      const ben = members.find(({ user }) => user === "ben");
      record("ben", ben?.status ?? "offline");
    });
    await users.subscribe();
  });
}

const waitForStatus = (person: Person, user: string, status: string) =>
  person.waitFor(
    `${user} ${status}`,
    (client, [user, status]) => {
      const found = client.channel("presence-users").members.find((member) => member.user === user);
      return (found?.status ?? "offline") === status;
    },
    [user, status] as const,
  );

const getStatus = (person: Person, user: string) =>
  person.run(async (client, user) => (await client.getStatus([user]))[0], user);

everyTransport("a user is online, manually away, manually offline, and automatic again", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada);
  await waitForStatus(ada, "ben", "online");
  await waitForStatus(ada, "ada", "online");
  await ben.run((client) => client.setStatus("away"));
  await waitForStatus(ada, "ben", "away");
  await scene.middle();
  // A manual status persists.
  await waitForStatus(ada, "ben", "away");
  expect(await getStatus(ada, "ben")).toMatchObject({ user: "ben", status: "away" });
  await ben.run((client) => client.setStatus("offline"));
  await waitForStatus(ada, "ben", "offline");
  expect(await getStatus(ada, "ben")).toMatchObject({ user: "ben", status: "offline" });
  await ben.run((client) => client.setStatus("auto"));
  await waitForStatus(ada, "ben", "online");
});

everyTransport("an idle user is away, on all devices, until there is input", async (scene) => {
  const ada = await scene.enter("ada");
  // A status is told at most once a second: one that lasts for less may not be told at all.
  const ben = await scene.enter("ben", { idleAfter: 1_500 });
  const phone = await scene.enter("ben");
  await follow(ada);
  await waitForStatus(ada, "ben", "online");
  // While one device is in use, nobody sees that the other is idle. On a busy machine it may have been idle before.
  const both = (await ada.records("ben")).length;
  const alone = Date.now();
  await scene.leave(phone);
  await waitForStatus(ada, "ben", "away");
  const away = (await ada.records("ben")).slice(both).find(({ value }) => value === "away");
  expect(away?.at).toBeGreaterThanOrEqual(alone);
  await scene.middle();
  await waitForStatus(ada, "ben", "away");
  const before = (await ada.records("ben")).length;
  await ben.page.keyboard.press("a");
  // For the duration of the idle timeout, which is shorter than a polling interval of this test.
  await ada.waitFor(
    "Ben online and away again",
    (_, before) => {
      const observed = window.people
        .records("ben")
        .slice(before)
        .map(({ value }) => value);
      const changes = observed.filter((status, at) => status !== (observed[at - 1] ?? "away"));
      return changes.join() === "online,away";
    },
    before,
  );
});

everyTransport("a user who has left is offline with the time when they were last seen", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  await follow(ada);
  await waitForStatus(ada, "ben", "online");
  const before = await getStatus(ada, "ben");
  expect(before).toEqual({ user: "ben", status: "online" });
  await scene.middle();
  await scene.leave(ben);
  expect(await getStatus(ada, "ben")).toMatchObject({ status: "online" });
  const left = Date.now();
  await scene.leave(phone);
  await waitForStatus(ada, "ben", "offline");
  const after = await getStatus(ada, "ben");
  expect(after).toMatchObject({ user: "ben", status: "offline" });
  expect(Math.abs((after?.lastSeen ?? 0) - left)).toBeLessThan(10_000);
  // Unknown users have no status.
  expect(await getStatus(ada, "nobody")).toEqual({ user: "nobody", status: "offline" });
  // Others observed exactly these changes, without flicker.
  const observed = (await ada.records("ben")).map(({ value }) => value);
  expect(observed.filter((status, at) => status !== observed[at - 1])).toEqual(["online", "offline"]);
});

it("a device that crashes is forgotten after the grace period", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada);
  await waitForStatus(ada, "ben", "online");
  const crashed = Date.now();
  await scene.crash(ben);
  await waitForStatus(ada, "ben", "offline");
  const noticed = (await ada.records("ben")).at(-1)?.at ?? 0;
  expect(noticed - crashed).toBeGreaterThan(5000);
  const { lastSeen = 0 } = (await getStatus(ada, "ben")) ?? {};
  expect(Math.abs(lastSeen - crashed)).toBeLessThan(12_000);
});
