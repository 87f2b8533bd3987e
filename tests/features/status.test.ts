// Online status: online, away by idleness or by hand, offline; last seen; several devices per user.

import { expect, it } from "vitest";
import { everyWay, type Person, Scene } from "../harness/people";

/** Lists all users who are online, and writes down every change. */
async function follow(person: Person): Promise<void> {
  await person.do(async (client) => {
    const users = client.channel("presence-users");
    users.on("members", (members) => {
      const ben = members.find(({ user }) => user === "ben");
      note("ben", ben?.status ?? "offline");
    });
    await users.subscribe();
  });
}

const shows = (person: Person, user: string, status: string) =>
  person.sees(
    `${user} ${status}`,
    (client, [user, status]) => {
      const found = client.channel("presence-users").members.find((member) => member.user === user);
      return (found?.status ?? "offline") === status;
    },
    [user, status] as const,
  );

const asked = (person: Person, user: string) =>
  person.do(async (client, user) => (await client.getStatus([user]))[0], user);

everyWay("a user is online, away by hand, offline by hand, and by itself again", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada);
  await shows(ada, "ben", "online");
  await shows(ada, "ada", "online");
  await ben.do((client) => client.setStatus("away"));
  await shows(ada, "ben", "away");
  await scene.middle();
  // What was said by hand holds.
  await shows(ada, "ben", "away");
  expect(await asked(ada, "ben")).toMatchObject({ user: "ben", status: "away" });
  await ben.do((client) => client.setStatus("offline"));
  await shows(ada, "ben", "offline");
  expect(await asked(ada, "ben")).toMatchObject({ user: "ben", status: "offline" });
  await ben.do((client) => client.setStatus("auto"));
  await shows(ada, "ben", "online");
});

everyWay("who does nothing is away, on all devices, until there is a key", async (scene) => {
  const ada = await scene.enter("ada");
  const ben = await scene.enter("ben", { idleAfter: 300 });
  const phone = await scene.enter("ben");
  await follow(ada);
  await shows(ada, "ben", "online");
  // While one device is in use, nobody sees that the other is not.
  const alone = Date.now();
  await scene.leave(phone);
  await shows(ada, "ben", "away");
  expect((await ada.notes("ben")).find(({ value }) => value === "away")?.at).toBeGreaterThanOrEqual(alone);
  await scene.middle();
  await shows(ada, "ben", "away");
  const before = (await ada.notes("ben")).length;
  await ben.page.keyboard.press("a");
  // For as long as the idleness takes, which is shorter than a look of this test.
  await ada.sees(
    "Ben online and away again",
    (_, before) => {
      const told = window.people
        .notes("ben")
        .slice(before)
        .map(({ value }) => value);
      const changes = told.filter((status, at) => status !== (told[at - 1] ?? "away"));
      return changes.join() === "online,away";
    },
    before,
  );
});

everyWay("who has gone is offline and was last seen then", async (scene) => {
  const [ada, ben] = await scene.all("ada", "ben");
  const phone = await scene.enter("ben");
  await follow(ada);
  await shows(ada, "ben", "online");
  const before = await asked(ada, "ben");
  expect(before).toEqual({ user: "ben", status: "online" });
  await scene.middle();
  await scene.leave(ben);
  expect(await asked(ada, "ben")).toMatchObject({ status: "online" });
  const left = Date.now();
  await scene.leave(phone);
  await shows(ada, "ben", "offline");
  const after = await asked(ada, "ben");
  expect(after).toMatchObject({ user: "ben", status: "offline" });
  expect(Math.abs((after?.lastSeen ?? 0) - left)).toBeLessThan(10_000);
  // Of whom nobody has heard, nothing is known.
  expect(await asked(ada, "nobody")).toEqual({ user: "nobody", status: "offline" });
  // Nobody saw anything but that, and no flicker on the way.
  const told = (await ada.notes("ben")).map(({ value }) => value);
  expect(told.filter((status, at) => status !== told[at - 1])).toEqual(["online", "offline"]);
});

it("a device that crashes is forgotten after the grace", async () => {
  const scene = await Scene.open();
  const [ada, ben] = await scene.all("ada", "ben");
  await follow(ada);
  await shows(ada, "ben", "online");
  const crashed = Date.now();
  await scene.crash(ben);
  await shows(ada, "ben", "offline");
  const noticed = (await ada.notes("ben")).at(-1)?.at ?? 0;
  expect(noticed - crashed).toBeGreaterThan(5000);
  const { lastSeen = 0 } = (await asked(ada, "ben")) ?? {};
  expect(Math.abs(lastSeen - crashed)).toBeLessThan(12_000);
});
