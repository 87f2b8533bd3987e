// The active faults and their labels.

/** A new object on each change. */
export interface FaultState {
  readonly websocketBlocked: boolean;
  readonly offline: boolean;
  /** Everything is accepted and nothing arrives. */
  readonly blackHole: boolean;
  /** Added to each direction, in ms. */
  readonly latencyMs: number;
  /** The share of lost messages and requests, 0 to 1. */
  readonly loss: number;
  /** The lifetime of a WebSocket, in ms; 0 is unlimited. */
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

/** An active fault, by its name in `FaultState`. */
export interface ActiveFault {
  readonly kind: keyof FaultState;
  readonly label: string;
}

/** 1500 as "1.5 s", 150 as "150 ms". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
}

/** The active faults with short labels. */
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
