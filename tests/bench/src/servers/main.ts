// One server as a process: `main.ts NAME [RECORDING [PORT]]`. Prints `listening on PORT`, and ends with its standard input, so
// that it does not outlive its parent.

import { read } from "../recording.js";
import { bare, standIn } from "./bare.js";
import { broadcast } from "./broadcast.js";
import { centrifuge } from "./centrifuge.js";
import { phoenix } from "./phoenix.js";
import { pusher } from "./pusher.js";
import { recoveringSocketIo, socketIo } from "./socketio.js";
import { socketIoChat } from "./socketio-chat.js";

const servers = {
  bare,
  "stand-in": standIn,
  broadcast,
  pusher,
  phoenix,
  centrifuge,
  "socket.io": socketIo,
  "socket.io-recovering": recoveringSocketIo,
  "socket.io-chat": socketIoChat,
};

/** The servers that a benchmark can start. */
export type ServerName = keyof typeof servers;

const [name, file = "", wanted] = process.argv.slice(2);
if (name === undefined || !Object.hasOwn(servers, name)) {
  throw new Error(`There is no server ${name}; there are: ${Object.keys(servers).join(", ")}.`);
}
// Those that need no recording are started without one.
const port = await servers[name as ServerName](file === "" ? [] : read(file), Number(wanted ?? 0));
process.stdin.on("end", () => process.exit()).resume();
console.log(`listening on ${port}`);
