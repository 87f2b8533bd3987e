// Everwire's default entry in a page of its own.

import { run } from "../connect.js";

run(async () => (await import("../clients/everwire.js")).open);
