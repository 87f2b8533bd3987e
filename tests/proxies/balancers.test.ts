// Two servers behind one address: with the printed configuration a page stays with one of them (promise 25).

import { expect, it } from "vitest";
import { BarePage, expectContiguous } from "../harness/bare";
import { KINDS, type Kind, printedForTwo, ReverseProxy } from "../harness/reverse-proxy";
import { PAGES, Server } from "../harness/server";

async function two(kind: Kind): Promise<ReverseProxy> {
  const servers = await Promise.all([1, 2].map(() => Server.start({ serveDir: PAGES })));
  const [first, second] = servers.map(({ port }) => port) as [number, number];
  return ReverseProxy.start(kind, printedForTwo(kind, [first, second]));
}

it.each(KINDS)(
  "behind the printed configuration of %s for two servers a page stays with one",
  async (kind) => {
    const proxy = await two(kind);
    const bare = await BarePage.open(proxy.url);
    for (const transport of ["websocket", "polling"] as const) {
      const client = await bare.connect(transport, { transports: [transport] });
      await client.subscribe("news");
      for (const text of ["one", "two", "three"]) {
        expect(await client.send("news", text)).toHaveProperty("ok");
      }
      expectContiguous(await client.waitForEntries("news", 3));
      const states = await client.states();
      expect(states.filter(({ status }) => status === "connected")).toHaveLength(1);
    }
  },
);
