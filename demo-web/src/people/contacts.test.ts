// The list of contacts.

import { expect, it } from "vitest";
import { contactsOf, matching } from "./contacts";
import { PEOPLE } from "./people";

it("lists everyone but the user, those who are online first", () => {
  const online = [
    { user: "new", name: "Zoe" },
    { user: "grace", name: "Grace Hopper", status: "away" as const },
  ];
  const contacts = contactsOf("ada", [], online);
  expect(contacts.slice(0, 2).map(({ user }) => user)).toEqual(["new", "grace"]);
  expect(contacts).toHaveLength(PEOPLE.length);
  expect(contacts.some(({ user }) => user === "ada")).toBe(false);
});

it("finds people by the beginning of any name", () => {
  const contacts = contactsOf("ada", [], []);
  expect(matching(contacts, "hop").map(({ user }) => user)).toEqual(["grace"]);
  expect(matching(contacts, " MARG ").map(({ user }) => user)).toEqual(["margaret"]);
  expect(matching(contacts, "")).toHaveLength(contacts.length);
  expect(matching(contacts, "opper")).toEqual([]);
});
