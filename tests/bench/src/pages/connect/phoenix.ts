// The client of Phoenix channels in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/phoenix.js")).open);
