// A fault-injecting TCP proxy. It knows no protocol, except that it recognises an HTTP request for a WebSocket, so
// every client meets the same fault in the same way. (The proxy of tests/harness knows Everwire's polls and belongs to
// a test runner.)

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What happens to new connections. */
export type Rule = "pass" | "reset" | "refuse WebSockets";

export interface FaultProxy {
  readonly port: number;
  /** The rule for new connections. */
  rule: Rule;
  /** How many connections were let through to the server. */
  readonly passed: number;
  /** How many were rejected. */
  readonly refused: number;
  /** Open connections stay open and carry nothing more, and neither side is told. */
  swallow(): void;
  /** Resets all open connections, and closes those to the server. */
  cut(): void;
  stop(): Promise<void>;
}

const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/** More than the head of any request here. */
const HEAD_BYTES = 65_536;

/** A proxy in front of a local port. */
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
    // In the black hole, the end of the other side is not forwarded either.
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
