// A TCP proxy that adds latency and counts bytes. Every byte arrives half a round trip later, in order; a client may
// not send before the round trip of a TCP handshake is over. Bandwidth is unlimited, nothing is lost, and there is no
// TLS, which would cost every client one or two more round trips per connection.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface LatencyProxy {
  readonly port: number;
  /** Connections, and bytes to and from clients, since the last call. */
  takeTraffic(): Traffic;
  stop(): Promise<void>;
}

export interface Traffic {
  readonly connections: number;
  /** To the browser, TCP payload. */
  readonly down: number;
  /** From the browser, TCP payload. */
  readonly up: number;
}

/** A proxy in front of a local port. */
export async function startLatencyProxy(target: number, roundTripMs: number): Promise<LatencyProxy> {
  let traffic = { connections: 0, down: 0, up: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    traffic.connections++;
    const upstream = connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const established = performance.now() + roundTripMs;
    carry(client, upstream, roundTripMs / 2, established, (bytes) => {
      traffic.up += bytes;
    });
    carry(upstream, client, roundTripMs / 2, established, (bytes) => {
      traffic.down += bytes;
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      const other = socket === client ? upstream : client;
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    takeTraffic() {
      const result = traffic;
      traffic = { connections: 0, down: 0, up: 0 };
      return result;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Forwards data `delayMs` after it arrived, but not as if it had been sent before `since`. */
function carry(
  from: Socket,
  to: Socket,
  delayMs: number,
  since: number,
  count: (bytes: number) => void,
): void {
  const waiting: { at: number; act: () => void }[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    while (waiting[0] !== undefined && waiting[0].at <= performance.now()) waiting.shift()?.act();
    const [next] = waiting;
    // A timer may fire a little early; it is then set again.
    if (next !== undefined) timer = setTimeout(run, Math.max(1, next.at - performance.now()));
  };
  const later = (act: () => void) => {
    if (delayMs === 0) return act();
    waiting.push({ at: Math.max(performance.now(), since) + delayMs, act });
    if (timer === undefined) run();
  };
  from.on("data", (chunk) => {
    count(chunk.length);
    later(() => to.writable && to.write(chunk));
  });
  from.on("end", () => later(() => to.end()));
  from.on("close", () => later(() => to.destroy()));
}
