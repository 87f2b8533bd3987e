// pusher-js in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/pusher.js")).open);
