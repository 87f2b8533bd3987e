// Which faults are in force, and what they are called. No fault is made here.

/** A new object whenever one changes. */
export interface FaultState {
  readonly websocketBlocked: boolean;
  readonly offline: boolean;
  /** Everything is accepted and nothing arrives. */
  readonly blackHole: boolean;
  /** Added to each direction, in ms. */
  readonly latencyMs: number;
  /** The share of messages and requests that vanish, 0 to 1. */
  readonly loss: number;
  /** How long a WebSocket may live, in ms; 0 is for ever. */
  readonly killAfterMs: number;
  readonly frozen: boolean;
  readonly restarting: boolean;
}

export const NO_FAULTS: FaultState = {
  websocketBlocked: false,
  offline: false,
  blackHole: false,
  latencyMs: 0,
  loss: 0,
  killAfterMs: 0,
  frozen: false,
  restarting: false,
};

/** A fault that is in force, by its name in `FaultState`. */
export interface ActiveFault {
  readonly kind: keyof FaultState;
  readonly label: string;
}

/** 1500 as "1.5 s", 150 as "150 ms". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
}

/** What is in force, in words of two or three. */
export function activeFaults(state: FaultState): ActiveFault[] {
  const all: [keyof FaultState, string][] = [
    ["latencyMs", `Latency ${duration(state.latencyMs)}`],
    ["loss", `Loss ${Math.round(state.loss * 100)} %`],
    ["websocketBlocked", "WebSocket blocked"],
    ["killAfterMs", `Sockets killed after ${duration(state.killAfterMs)}`],
    ["blackHole", "Black hole"],
    ["offline", "Offline"],
    ["frozen", "Frozen"],
    ["restarting", "Restart"],
  ];
  return all.filter(([kind]) => Boolean(state[kind])).map(([kind, label]) => ({ kind, label }));
}
