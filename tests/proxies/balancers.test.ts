// Two servers behind one address. With the printed configuration a page stays with one of them; where a balancer sends
// each request to the next one, which polling cannot survive, a client slows down instead of going round in a loop
// (promise 25).

import { expect, it } from "vitest";
import { BarePage, expectContiguous } from "../harness/bare";
import { figure } from "../harness/figures";
import { KINDS, type Kind, printedForTwo, ReverseProxy, roundRobin } from "../harness/reverse-proxy";
import { PAGES, Server } from "../harness/server";

/** The bound: requests of an idle client in a minute. */
const REQUESTS = 10;

async function two(kind: Kind, configuration: typeof printedForTwo): Promise<ReverseProxy> {
  const servers = await Promise.all([1, 2].map(() => Server.start({ serveDir: PAGES })));
  const [first, second] = servers.map(({ port }) => port) as [number, number];
  return ReverseProxy.start(kind, configuration(kind, [first, second]));
}

it.each(KINDS)(
  "behind the printed configuration of %s for two servers a page stays with one",
  async (kind) => {
    const proxy = await two(kind, printedForTwo);
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

it("an idle polling client behind round robin makes at most 10 requests a minute", async () => {
  const counts = await Promise.all(
    KINDS.map(async (kind) => {
      const proxy = await two(kind, roundRobin);
      const bare = await BarePage.open(proxy.url);
      let requests = 0;
      bare.page.on("request", (request) => {
        if (request.method() === "POST") requests++;
      });
      await bare.connect("idle", { transports: ["polling"] });
      // The bound is for a time: nothing would happen that could be waited for.
      await bare.page.waitForTimeout(60_000);
      figure(
        `requests of an idle polling client in a minute behind round robin: ${kind}`,
        requests,
        "",
        REQUESTS,
      );
      return requests;
    }),
  );
  for (const count of counts) {
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThanOrEqual(REQUESTS);
  }
});
