// Networks that ask for a login before they let anything through, and answer every request with a page of their own until
// then: nothing of it is taken for an answer of the server, messages wait, and pass afterwards.

import { expect, it } from "vitest";
import { BarePage, expectContiguous } from "../harness/bare";
import { type Configuration, KINDS, printed, ReverseProxy } from "../harness/reverse-proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const PORTALS: readonly [string, string][] = [
  ["a page in place of everything", `return 200 "<!doctype html><title>Sign in</title>";`],
  ["a redirect to its page", "if ($uri != /login) { return 302 /login; } return 200 login;"],
];

it.runIf(KINDS.includes("nginx")).each(PORTALS)(
  "a network asks for a login with %s: messages wait, and pass afterwards",
  async (_, answer) => {
    const server = await Server.start({ serveDir: PAGES });
    const proxy = await ReverseProxy.start("nginx", printed("nginx", server.port));
    const ben = await (await BarePage.open(server.url)).connect("ben");
    await ben.subscribe("news");
    const ada = await (await BarePage.open(proxy.url)).connect("ada");
    await ada.subscribe("news");
    await ada.waitForConnection();
    const login: Configuration = ({ http }) =>
      `server { listen ${http}; location / { default_type text/html; ${answer} } }`;
    const closed = Date.now();
    await proxy.restart(login);
    await ada.waitForState("waiting", { since: closed });
    const waiting = ada.send("news", "written at the login page");
    await until("it has tried again", async () => {
      const states = await ada.states();
      return states.filter(({ at, status }) => at > closed && status === "waiting").length >= 3;
    });
    expect(
      (await ada.states()).filter(({ at, status }) => at > closed && status !== "waiting"),
    ).not.toContain("connected");
    await ben.send("news", "meanwhile");
    await proxy.restart(printed("nginx", server.port));
    expect(await waiting).toHaveProperty("ok");
    const received = await ada.waitForEntries("news", 2);
    expectContiguous(received);
    expect(received.map(({ data }) => data)).toEqual(["meanwhile", "written at the login page"]);
  },
);
