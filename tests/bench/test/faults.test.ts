// The faults of `bench faults`: each does what it says, and does not affect new connections. And the table, which must
// not present what never happened as a time.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { table } from "../src/faults/table.js";
import { type FaultProxy, startFaultProxy } from "../src/run/fault-proxy.js";

const REQUEST = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/** An echo server with a proxy in front. */
async function start(): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const echo = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const proxy = await startFaultProxy((echo.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.stop();
    for (const socket of sockets) socket.destroy();
    echo.close();
  });
  return proxy;
}

/** A connection that has exchanged data. */
function speak(proxy: FaultProxy, text = REQUEST): { socket: Socket; heard(): string } {
  const socket = connect({ port: proxy.port, host: "127.0.0.1" }, () => socket.write(text));
  let heard = "";
  socket.on("data", (data) => {
    heard += data;
  });
  onTestFinished(() => void socket.destroy());
  return { socket, heard: () => heard };
}

test("a black hole keeps connections open and silent; new ones pass", async () => {
  const proxy = await start();
  const old = speak(proxy);
  await expect.poll(old.heard).toBe(REQUEST);
  proxy.swallow();
  old.socket.write("more");
  const young = speak(proxy);
  await expect.poll(young.heard).toBe(REQUEST);
  // Both directions are equally long, so an answer would have arrived by now.
  expect(old.heard()).toBe(REQUEST);
  expect(old.socket.readyState).toBe("open");
  expect(proxy.passed).toBe(2);
});

test("a cut resets open connections, and the rule applies to new ones", async () => {
  const proxy = await start();
  const old = speak(proxy);
  await expect.poll(old.heard).toBe(REQUEST);
  const reset = once(old.socket, "error");
  proxy.rule = "reset";
  proxy.cut();
  expect((await reset)[0]).toMatchObject({ code: "ECONNRESET" });
  const young = speak(proxy);
  expect((await once(young.socket, "error"))[0]).toMatchObject({ code: "ECONNRESET" });
  expect(proxy.refused).toBe(1);
});

test("only WebSockets are refused where the rule says so", async () => {
  const proxy = await start();
  proxy.rule = "refuse WebSockets";
  const webSocket = speak(proxy, REQUEST.replace("\r\n\r\n", "\r\nUpgrade: websocket\r\n\r\n"));
  await expect.poll(webSocket.heard).toContain("502 Bad Gateway");
  const plain = speak(proxy);
  await expect.poll(plain.heard).toBe(REQUEST);
  expect([proxy.passed, proxy.refused]).toEqual([1, 1]);
});

test("the table distinguishes what never happened from what was slow and what was not measured", () => {
  const text = table({
    benchmark: "faults",
    browser: "Chrome/1",
    rounds: 2,
    silences: [{ name: "one", event: "online", limit_ms: 60_000, ms: [1000, null] }],
    blocked: [
      { name: "one", ms: [null, null] },
      { name: "two", ms: [] },
    ],
    cuts: [{ name: "one", lost: [3, 5], duplicated: [0, 0], subscribed_ms: [null, null] }],
  });
  expect(text).toMatch(/1\.00 s – > 60 s/);
  expect(text).toMatch(/one +never/);
  expect(text).toMatch(/two +needs another server/);
  expect(text).toMatch(/one +4 \(3 – 5\) +0 +not seen/);
});
