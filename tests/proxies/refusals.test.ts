// Proxies that refuse one message, for its size or for its words: it fails alone and at once, with a typed error, and
// everything else goes on (promise 22).

import { expect, it } from "vitest";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { type Configuration, KINDS, type Kind, printed, ReverseProxy } from "../harness/reverse-proxy";
import { PAGES, Server } from "../harness/server";

/** The bounds: the error of the message that is refused, and the next message after it, in ms. */
const ERROR_MS = 5_000;
const NEXT_MS = 2_000;

/** What the firewall does not like. */
const SUSPICIOUS = "UNION SELECT";

interface Refusal {
  readonly title: string;
  readonly kind: Kind;
  readonly configuration: (port: number) => Configuration;
  /** A message that this proxy refuses. */
  readonly refused: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    title: "nginx refuses a message with 413",
    kind: "nginx",
    configuration: (port) => (place) =>
      printed("nginx", port)(place).replace("location / {", "location / { client_max_body_size 2k;"),
    refused: "x".repeat(4_000),
  },
  {
    title: "HAProxy refuses a message with 403",
    kind: "haproxy",
    configuration: (port) => (place) =>
      printed(
        "haproxy",
        port,
      )(place).replace(
        "default_backend",
        `option http-buffer-request\n    http-request deny deny_status 403 if { req.body -m sub '${SUSPICIOUS}' }\n    default_backend`,
      ),
    refused: `1 ${SUSPICIOUS} password`,
  },
];

async function scene(kind: Kind, configuration: (port: number) => Configuration) {
  const server = await Server.start({ serveDir: PAGES });
  const proxy = await ReverseProxy.start(kind, configuration(server.port));
  const ben = await (await BarePage.open(server.url)).connect("ben");
  await ben.subscribe("news");
  return { server, proxy, ben };
}

const textsOf = async (client: PageClient) => (await client.received("news")).map(({ data }) => data);

for (const { title, kind, configuration, refused } of REFUSALS.filter(({ kind }) => KINDS.includes(kind))) {
  it(`${title}: it fails alone, and the others pass`, async () => {
    const { proxy, ben } = await scene(kind, configuration);
    const bare = await BarePage.open(proxy.url);
    const ada = await bare.connect("ada", { transports: ["polling"] });
    await ada.subscribe("news");
    expect(await ada.send("news", "before")).toHaveProperty("ok");
    const start = Date.now();
    const [sent, next] = [ada.send("news", refused), ada.send("news", "next")];
    expect(await sent).toMatchObject({ error: { everwire: true, retry: false } });
    expect(Date.now() - start).toBeLessThan(ERROR_MS);
    expect(await next).toHaveProperty("ok");
    expect(Date.now() - start).toBeLessThan(ERROR_MS + NEXT_MS);
    expect(await ben.send("news", "from ben")).toHaveProperty("ok");
    expectContiguous(await ada.waitForEntries("news", 3));
    expect(await textsOf(ada)).toEqual(["before", "next", "from ben"]);
    // Nothing is tried again by the next page.
    await bare.page.reload();
    const again = await bare.connect("ada", { transports: ["polling"] });
    expect(await again.send("news", "after a reload")).toHaveProperty("ok");
    await ben.waitForEntries("news", 4);
    expect(await textsOf(ben)).toEqual(["before", "next", "from ben", "after a reload"]);
  });
}
