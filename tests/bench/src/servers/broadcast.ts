// The simplest fan-out there is: what one client sends, `ws` sends to all clients.

import { type Client, serve } from "./listening.js";

export function broadcast(): Promise<number> {
  const clients = new Set<Client>();
  return serve(
    (client) => {
      clients.add(client);
      client.socket.on("close", () => clients.delete(client));
    },
    (_, text) => {
      for (const { socket } of clients) socket.send(text);
    },
  );
}
