// The process of one attacker: `attacker.ts NAME PORT`.

import { setPriority } from "node:os";
import { ATTACKS } from "./attacks.js";

// The attacker is on another machine: what it does itself must not slow down the clients that are measured on this one.
setPriority(15);
const [name = "", port] = process.argv.slice(2);
ATTACKS[name]?.(Number(port));

// Sockets that are not read do not keep a process alive.
setInterval(() => undefined, 1_000);
