// The operator's commands, against a server with connected users.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Scene } from "../harness/scene";
import { SERVER } from "../harness/server";
import { SECRET } from "../harness/tokens";
import { until } from "../harness/until";

const KEY = "the key of these tests";
const run = (args: string[], env: Record<string, string> = {}) =>
  promisify(execFile)(SERVER, args, { env: { ...process.env, ...env } });

it("token creates a token that connects, stats counts connections, and cleanup cleans up", async () => {
  const scene = await Scene.open("over WebSocket", { secret: SECRET, env: { EVERWIRE_API_KEY: KEY } });
  const token = async (user: string, ...grants: string[]) => {
    const args = ["token", "--user", user, ...grants.flatMap((grant) => ["--grant", grant])];
    return (await run(args, { EVERWIRE_JWT_SECRET: SECRET })).stdout.trim();
  };
  const ada = await scene.enter("ada", { token: await token("ada", "private-board") });
  const ben = await scene.enter("ben", { token: await token("ben"), transports: ["polling"] });
  expect(await ada.errorCode((client) => client.channel("private-board").subscribe())).toBe("");
  expect(await ben.errorCode((client) => client.channel("private-board").subscribe())).toBe("forbidden");
  const asking = ["--server", scene.server.url];
  const { stdout } = await run(["stats", ...asking, "--json"], { EVERWIRE_API_KEY: KEY });
  expect(JSON.parse(stdout)).toMatchObject({
    users: 2,
    sessions: 2,
    connections: { websocket: 1, polling: 1 },
  });
  const table = (await run(["stats", ...asking], { EVERWIRE_API_KEY: KEY })).stdout;
  expect(table).toMatch(/users\s+2/);
  const tidied = await run(["cleanup", ...asking, "--database", scene.server.database], {
    EVERWIRE_API_KEY: KEY,
  });
  expect(tidied.stderr + tidied.stdout).not.toMatch(/error/i);
  await ada.run(async (client) => void (await client.channel("private-board").send("still here")));
  // Without the key there are no statistics.
  const refused = await run(["stats", ...asking]).catch((error: { stderr: string }) => error);
  expect(refused.stderr).toMatch(/key/);
});

it("the log has the statistics every 30 seconds", { timeout: 90_000 }, async () => {
  const scene = await Scene.open("over WebSocket");
  const ada = await scene.enter("ada");
  await scene.enter("ben", { transports: ["polling"] });
  await ada.run(async (client) => void (await client.channel("news").send("counted")));
  const line = await until(
    "the statistics are in the log",
    () => scene.server.log.find((line) => line.includes("statistics")),
    { timeoutMs: 60_000, seen: () => scene.server.log.slice(-5) },
  );
  // Without a terminal's colours.
  expect(line).toMatch(/users=2 .*websocket=1 .*polling=1 .*messages_stored=1/);
});
