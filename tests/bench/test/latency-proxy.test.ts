// The proxy that adds latency: as much as it claims, with everything in order, and counted.

import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { startLatencyProxy } from "../src/run/latency-proxy.js";

test("bytes arrive complete, in order and counted, and not before the handshake and the round trip", async () => {
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const roundTrip = 60;
  const proxy = await startLatencyProxy((echo.address() as AddressInfo).port, roundTrip);
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const began = performance.now();
  let first = 0;
  const received = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port: proxy.port, host: "127.0.0.1" }, () => socket.end(sent));
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      first ||= performance.now();
      chunks.push(chunk);
    });
    socket.on("end", () => resolve(Buffer.concat(chunks)));
  });
  expect(received.equals(sent)).toBe(true);
  expect(first - began).toBeGreaterThanOrEqual(2 * roundTrip - 2);
  expect(proxy.takeTraffic()).toEqual({ connections: 1, down: sent.length, up: sent.length });
  expect(proxy.takeTraffic()).toEqual({ connections: 0, down: 0, up: 0 });
  await proxy.stop();
  echo.close();
});
