// Sample data: people, chats, and a Grace who answers. Used by `vite --mode fake`.

import { PEOPLE } from "../people/people";
import { FakeServer } from "./server";

const MINUTE = 60_000;

/** The number of messages in the long chat. */
const LONG = 5_000;

export function createSampleServer(): FakeServer {
  const server = new FakeServer();
  const now = Date.now();
  for (const { user, name } of PEOPLE) server.names.set(user, name);
  server.statuses.set("grace", "online");
  server.statuses.set("margaret", "away");
  server.lastSeen.set("linus", now - 25 * MINUTE);
  server.lastSeen.set("alan", now - 3000 * MINUTE);

  const addMessages = (
    chat: ReturnType<typeof server.make>,
    lines: readonly (readonly [string, string, number])[],
  ) => {
    for (const [user, text, ago] of lines) server.append(chat, user, { text }, { at: now - ago * MINUTE });
    chat.at = chat.log.at(-1)?.at ?? 0;
  };

  const moon = server.make({ id: "moon", title: "Moon landing", owner: "margaret" });
  for (const user of ["ada", "grace", "katherine", "alan"]) moon.members.set(user, "member");
  server.change(moon, "margaret", { action: "created", title: "Moon landing" });
  addMessages(moon, [
    ["margaret", "The computer will restart itself if it has too much to do. On purpose.", 1500],
    ["katherine", "I checked the trajectory by hand. The machine is right.", 1498],
    ["ada", "Both of you, then.", 1495],
    ["grace", "There was a moth in the relay again.", 12],
    ["margaret", "Is that going to be a problem in vacuum?", 11],
    ["grace", "Not for the moth. See https://en.wikipedia.org/wiki/Software_bug for its career.", 9],
  ]);
  for (const user of ["ada", "margaret"]) server.setReceipt(moon, user, 7, 4);

  const direct = server.make({ id: "grace", kind: "direct", owner: "ada" });
  direct.members.set("grace", "member");
  addMessages(direct, [
    ["grace", "Did you see that the connection was gone for a minute?", 6],
    ["ada", "No. Was it?", 5],
    ["grace", "Exactly.", 4],
    ["ada", "Then it does what it says. Lunch?", 3],
  ]);
  server.setReceipt(direct, "ada", 4, 4);
  server.setReceipt(direct, "grace", 4, 3);

  const long = server.make({ id: "long", title: "Everything we ever said", owner: "alan" });
  for (const user of ["ada", "grace", "linus"]) long.members.set(user, "member");
  const speakers = ["alan", "ada", "grace", "linus"];
  for (let n = 1; n <= LONG; n++) {
    const text = `Message ${n}${n % 7 === 0 ? ", which is longer than the others because it has more to say, and says it" : ""}`;
    server.append(
      long,
      speakers[(n * 7) % 4] ?? "ada",
      { text },
      { at: now - (LONG - n) * 20 * MINUTE - 60 * MINUTE },
    );
  }
  long.at = now - 60 * MINUTE;
  server.setReceipt(long, "ada", LONG, LONG);

  const invited = server.make({ id: "vitamins", title: "Vitamin C", owner: "linus" });
  invited.members.set("ada", "invited");
  invited.at = now - 40 * MINUTE;

  server.notifications.push({
    id: "n1",
    at: now - 8 * MINUTE,
    to: undefined,
    data: {
      title: "Maintenance tonight",
      message: "The server restarts at 22:00. Nobody will notice.",
      priority: "normal",
    },
  });
  answer(server);
  return server;
}

/** Grace reads messages and answers them. */
function answer(server: FakeServer): void {
  const answered = new Set<string>();
  server.onChange(() => {
    const chat = server.chats.get("grace");
    const last = chat?.log.at(-1);
    if (!chat || last?.user !== "ada" || answered.has(last.id) || Date.now() - last.at > 1000) return;
    answered.add(last.id);
    setTimeout(() => server.setReceipt(chat, "grace", last.offset, 0), 500);
    setTimeout(() => {
      server.setReceipt(chat, "grace", last.offset, last.offset);
      chat.typing.add("grace");
      server.changed();
    }, 1200);
    setTimeout(() => server.append(chat, "grace", { text: "Noted." }), 3200);
  });
}
