// A TCP proxy that breaks connections when told to. It knows no protocol, except that it can tell an HTTP request that asks
// for a WebSocket, so every client meets the same fault in the same way. (The proxy of tests/harness knows Everwire's polls
// and belongs to a test runner.)

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What is done with new connections. */
export type Rule = "pass" | "reset" | "refuse WebSockets";

export interface FaultProxy {
  readonly port: number;
  /** For new connections. */
  rule: Rule;
  /** How many connections have been let through to the server. */
  readonly passed: number;
  /** How many have been turned away. */
  readonly refused: number;
  /** What is open stays open and carries nothing any more, and neither side is told anything. */
  swallow(): void;
  /** Resets everything that is open, and tells the server that it has ended. */
  cut(): void;
  stop(): Promise<void>;
}

const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/** More than any request's head here. */
const HEAD_BYTES = 65_536;

/** A proxy in front of a port of this machine. */
export async function startFaultProxy(target: number): Promise<FaultProxy> {
  const clients = new Map<Socket, Socket | undefined>();
  const dark = new WeakSet<Socket>();
  let [passed, refused] = [0, 0];

  const pass = (client: Socket, head: Buffer): void => {
    passed++;
    const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
    clients.set(client, server);
    server.write(head);
    client.on("data", (data) => !dark.has(client) && server.write(data));
    server.on("data", (data) => !dark.has(client) && client.write(data));
    server.on("error", () => server.destroy());
    // In the hole the end of the other side is not told either.
    server.on("close", () => !dark.has(client) && client.destroy());
    client.on("close", () => !dark.has(client) && server.destroy());
  };

  const listener = createServer({ noDelay: true }, (client) => {
    clients.set(client, undefined);
    client.on("error", () => client.destroy());
    client.on("close", () => {
      if (!dark.has(client)) clients.delete(client);
    });
    if (proxy.rule === "reset") {
      refused++;
      client.resetAndDestroy();
      return;
    }
    let head = Buffer.alloc(0);
    client.on("data", function read(data) {
      head = Buffer.concat([head, data]);
      if (!head.includes("\r\n\r\n") && head.length < HEAD_BYTES) return;
      client.off("data", read);
      if (dark.has(client)) client.resume();
      else if (proxy.rule === "refuse WebSockets" && /^upgrade:\s*websocket/im.test(head.toString())) {
        refused++;
        client.end(BAD_GATEWAY);
      } else pass(client, head);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));

  const proxy = {
    port: (listener.address() as AddressInfo).port,
    rule: "pass" as Rule,
    get passed() {
      return passed;
    },
    get refused() {
      return refused;
    },
    swallow() {
      for (const client of clients.keys()) dark.add(client);
    },
    cut() {
      for (const [client, server] of clients) {
        if (!client.destroyed && client.readyState === "open") client.resetAndDestroy();
        server?.destroy();
      }
    },
    async stop() {
      for (const [client, server] of clients) {
        client.destroy();
        server?.destroy();
      }
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return proxy;
}
