// socket.io-client restricted to WebSocket in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/socketio.js")).openWebSocket);
