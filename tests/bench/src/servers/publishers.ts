// Several publishers as one process: `publishers.ts URL`. A GET of `/?channel=C&count=N` makes them send N messages
// through Everwire's server, as fast as it stores them. Ends with its standard input.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { publish } from "../run/protocol.js";

/** Enough for the server to have a full group to commit at any time. */
const PUBLISHERS = 8;

const [url = ""] = process.argv.slice(2);
const server = createServer((request, response) => {
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  response.writeHead(204).end();
  const [channel, count] = [query.get("channel"), Number(query.get("count"))];
  if (channel !== null && count > 0) void publish(url, channel, count, PUBLISHERS);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on ${(server.address() as AddressInfo).port}`));
process.stdin.on("end", () => process.exit()).resume();
