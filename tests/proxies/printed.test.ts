// The proxy configurations in docs/operations.md, run as they are printed by nginx and HAProxy between a browser and a
// server that is not in development mode: pages get WebSocket, polling, the API and the health of the server, with and
// without TLS, and a restart of the proxy loses nothing (promise 25).

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf, type PageClient } from "../harness/bare";
import { type Configuration, KINDS, printed, ReverseProxy } from "../harness/reverse-proxy";
import { PAGES, Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";

const CHANNEL = "private-room.1";
const OPTIONS = { serveDir: PAGES, secret: SECRET, args: ["--trusted-proxy", "127.0.0.1"] };
const TRANSPORTS = ["websocket", "polling"] as const;

/** A page from the proxy, with a client for each transport that has joined the channel. */
async function enter(url: string): Promise<{ bare: BarePage; clients: PageClient[] }> {
  const bare = await BarePage.open(url, { ignoreHTTPSErrors: true });
  const clients = await Promise.all(
    TRANSPORTS.map(async (transport) => {
      const token = makeToken(transport, { grants: [CHANNEL] });
      const client = await bare.connectWith(transport, () => token, { transports: [transport] });
      await client.waitForConnection(transport);
      expect(await client.subscribe(CHANNEL)).toHaveProperty("ok");
      return client;
    }),
  );
  return { bare, clients };
}

it.each(KINDS)("pages reach the server through the printed configuration of %s", async (kind) => {
  const server = await Server.start(OPTIONS);
  const proxy = await ReverseProxy.start(kind, printed(kind, server.port));
  for (const url of [proxy.url, proxy.secureUrl]) {
    const { bare, clients } = await enter(url);
    for (const client of clients) {
      expect(await client.send(CHANNEL, client.name)).toHaveProperty("ok");
    }
    for (const client of clients) expectContiguous(await client.waitForEntries(CHANNEL, 2));
    const statuses = await bare.page.evaluate(async (token) => {
      const ask = (path: string, headers = {}) => fetch(path, { headers }).then(({ status }) => status);
      const authorization = `Bearer ${token}`;
      return [
        await ask("/readyz"),
        await ask("/api/v1/connection-info", { authorization }),
        await ask("/api/v1/connection-info"),
      ];
    }, makeToken("websocket"));
    expect(statuses).toEqual([200, 200, 401]);
    await Promise.all(clients.map((client) => client.close()));
  }
});

it.each(KINDS)("%s is restarted in the middle of a conversation, and no message is lost", async (kind) => {
  const server = await Server.start(OPTIONS);
  const proxy = await ReverseProxy.start(kind, printed(kind, server.port));
  const { clients } = await enter(proxy.url);
  const ROUND = 20;
  const ROUNDS = 6;
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(clients.map((client) => client.sendMany(CHANNEL, round * ROUND, ROUND)));
    if (round % 2 === 1) await proxy.restart();
  }
  const total = clients.length * ROUND * ROUNDS;
  for (const client of clients) {
    const received = await client.waitForEntries(CHANNEL, total);
    expectContiguous(received);
    expect(received).toHaveLength(total);
    for (const { name } of clients)
      expect(numbersOf(received, name)).toEqual([...Array(ROUND * ROUNDS).keys()]);
  }
});

it.runIf(KINDS.includes("nginx"))(
  "nginx with its defaults has no WebSocket and buffers: everything works by polling",
  async () => {
    const defaults =
      (port: number): Configuration =>
      ({ http }) =>
        `server { listen ${http}; location / { proxy_pass http://127.0.0.1:${port}; } }`;
    const server = await Server.start({ serveDir: PAGES });
    const proxy = await ReverseProxy.start("nginx", defaults(server.port));
    const ben = await (await BarePage.open(server.url)).connect("ben");
    await ben.subscribe("news");
    const ada = await (await BarePage.open(proxy.url)).connect("ada");
    await ada.subscribe("news");
    await ada.waitForConnection("polling");
    for (const client of [ada, ben, ada, ben]) {
      expect(await client.send("news", client.name)).toHaveProperty("ok");
    }
    for (const client of [ada, ben]) {
      const received = await client.waitForEntries("news", 4);
      expectContiguous(received);
      expect(received.map(({ data }) => data)).toEqual(["ada", "ben", "ada", "ben"]);
    }
  },
);
