// socket.io-client with its own choice of transports in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/socketio.js")).open);
