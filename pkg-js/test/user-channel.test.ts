import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { userChannel } from "../src/chat/user-channel.js";

const VECTORS = new URL("../../protocol/generated/vectors.json", import.meta.url);

it("encodes user ids as the vectors of the protocol do", () => {
  const { users } = JSON.parse(readFileSync(VECTORS, "utf8"));
  expect(users.length).toBeGreaterThan(5);
  for (const { user, encoded } of users) expect(userChannel(user)).toBe(`private-user.${encoded}`);
});
