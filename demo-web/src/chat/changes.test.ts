// What happened to a chat, in words.

import { expect, it } from "vitest";
import { changeWords } from "./changes";

const GRACE = { user: "grace", name: "Grace Hopper" };
const ME = { user: "me" };
const SERVER = { user: "" };

it.each([
  [{ action: "created", title: "Moon" }, GRACE, "Grace Hopper made the group “Moon”"],
  [{ action: "created" }, ME, "You began this chat"],
  [{ action: "invited", user: "me" }, GRACE, "Grace Hopper invited you"],
  [{ action: "invited", user: "x", name: "Xu" }, ME, "You invited Xu"],
  [{ action: "joined", user: "grace" }, GRACE, "Grace Hopper came in"],
  [{ action: "left", user: "me" }, ME, "You left"],
  [{ action: "removed", user: "ada" }, GRACE, "Grace Hopper removed Ada Lovelace"],
  [{ action: "renamed", title: "Mars" }, GRACE, "Grace Hopper named the chat “Mars”"],
  [{ action: "role_set", user: "me", role: "owner" }, GRACE, "Grace Hopper made you an owner"],
  [
    { action: "role_set", user: "ada", role: "read_only" },
    ME,
    "You made Ada Lovelace somebody who only reads",
  ],
  [{ action: "created", title: "Moon" }, SERVER, "The group “Moon” was made"],
  [{ action: "joined", user: "grace" }, SERVER, "Grace Hopper came in"],
  [{ action: "invited", user: "me" }, SERVER, "You were invited"],
  [
    { action: "role_set", user: "ada", role: "read_only" },
    SERVER,
    "Ada Lovelace is somebody who only reads now",
  ],
])("%j", (data, by, words) => expect(changeWords(data, by, "me")).toBe(words));

it.each([undefined, null, 7, {}, { action: "exploded" }])("says nothing of %j", (data) =>
  expect(changeWords(data, GRACE, "me")).toBe(""),
);
