// socket.io-client with its default transports in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/socketio.js")).open);
