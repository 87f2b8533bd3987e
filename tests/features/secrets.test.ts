// What is left behind by clients and back ends: the database and the log have none of the credentials with which they
// came, and the log has no text of their messages.

import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { API_PATH } from "../../protocol/generated/protocol";
import { ProtocolClient, uuid7 } from "../harness/protocol-client";
import { Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";
import { until } from "../harness/until";

const KEY = "the API key that nobody writes down";
const TEXT = "a sentence that nobody logs";

it("the database and the log have no token, no secret and no key, and the log no message", async () => {
  const args = ["--log", "trace"];
  const server = await Server.start({ secret: SECRET, args, env: { EVERWIRE_API_KEY: KEY } });
  const token = makeToken("ann", { grants: ["private-notes"] });
  const forged = makeToken("ann", { secret: "another secret of 16 bytes" });
  const ann = await ProtocolClient.open(server.url);
  ann.send({ type: "hello", version: 1, session: ann.session, token });
  await ann.waitForFrame("welcome");
  ann.send({ type: "send", id: uuid7(), channel: "private-notes", data: { text: TEXT } });
  await ann.waitForFrame("ack");
  const stranger = await ProtocolClient.open(server.url);
  stranger.send({ type: "hello", version: 1, session: stranger.session, token: forged });
  await stranger.waitForClose();
  const publish = (key: string) =>
    fetch(`${server.url}${API_PATH}/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "idempotency-key": "once" },
      body: JSON.stringify({ to: { user: "ann" }, data: { text: TEXT } }),
    }).then(({ status }) => status);
  expect([await publish(KEY), await publish("a key that is not the right one")]).toEqual([200, 401]);
  const files = ["", "-wal"].map((suffix) => server.database + suffix).filter((file) => existsSync(file));
  const stored = files.map((file) => readFileSync(file, "latin1")).join("");
  await until("the log has the end of the stranger", () =>
    server.log.some((line) => line.includes("closed") || line.includes("refused")),
  );
  const log = server.log.join("\n");
  expect(stored).toContain(TEXT);
  expect(log).not.toContain(TEXT);
  const [, , signature = ""] = token.split(".");
  for (const credential of [SECRET, KEY, token, forged, signature, "a key that is not the right one"]) {
    expect(stored).not.toContain(credential);
    expect(log).not.toContain(credential);
  }
});
