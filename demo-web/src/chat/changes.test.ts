// System messages as text.

import { expect, it } from "vitest";
import { changeText } from "./changes";

const GRACE = { user: "grace", name: "Grace Hopper" };
const ME = { user: "me" };
const SERVER = { user: "" };

it.each([
  [{ action: "created", title: "Moon" }, GRACE, "Grace Hopper created the group “Moon”"],
  [{ action: "created" }, ME, "You started this chat"],
  [{ action: "invited", user: "me" }, GRACE, "Grace Hopper invited you"],
  [{ action: "invited", user: "x", name: "Xu" }, ME, "You invited Xu"],
  [{ action: "joined", user: "grace" }, GRACE, "Grace Hopper joined"],
  [{ action: "left", user: "me" }, ME, "You left"],
  [{ action: "removed", user: "ada" }, GRACE, "Grace Hopper removed Ada Lovelace"],
  [{ action: "renamed", title: "Mars" }, GRACE, "Grace Hopper renamed the chat to “Mars”"],
  [{ action: "role_set", user: "me", role: "owner" }, GRACE, "Grace Hopper made you an owner"],
  [{ action: "role_set", user: "ada", role: "read_only" }, ME, "You made Ada Lovelace read-only"],
  [{ action: "created", title: "Moon" }, SERVER, "The group “Moon” was created"],
  [{ action: "joined", user: "grace" }, SERVER, "Grace Hopper joined"],
  [{ action: "invited", user: "me" }, SERVER, "You were invited"],
  [{ action: "role_set", user: "ada", role: "read_only" }, SERVER, "Ada Lovelace is read-only now"],
])("renders %j", (data, by, words) => expect(changeText(data, by, "me")).toBe(words));

it.each([undefined, null, 7, {}, { action: "exploded" }])("renders nothing for %j", (data) =>
  expect(changeText(data, GRACE, "me")).toBe(""),
);
