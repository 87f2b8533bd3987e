// What the small servers share: a WebSocket server on a free port.

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** One client: its WebSocket, the TCP socket below it, and the requested path. */
export interface Client {
  readonly socket: WebSocket;
  readonly raw: Socket;
  readonly path: string;
  /** Sends a value as JSON. */
  send(value: unknown): void;
}

/**
 * Serves WebSockets; `onClient` is called for each client, `onText` for each text that it sends, `onRequest` for plain
 * requests. Returns the port.
 */
export async function serve(
  onClient: (client: Client) => void,
  onText: (client: Client, text: string) => void,
  onRequest: RequestListener = (_, response) => response.writeHead(404).end(),
): Promise<number> {
  const http = createServer(onRequest);
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  server.on("connection", (socket, request) => {
    const client: Client = {
      socket,
      raw: request.socket,
      path: request.url ?? "/",
      send: (value) => socket.send(JSON.stringify(value)),
    };
    // A page that is done disconnects in mid-stream.
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => onText(client, data.toString()));
    onClient(client);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}
