// The connection indicator: transport, reason, and while waiting a countdown to the next attempt.
//
// For tests: `data-testid="connection"` with `data-status` (connecting, connected, waiting, offline, closed) and, while
// connected, `data-transport` (websocket, polling).

import type { ConnectionState } from "everwire";
import { useEffect, useState } from "react";
import { headline, reasonText, statusText } from "./statusText";
import { Wire, type WireStatus } from "./Wire";

export function ConnectionIndicator({ state }: { state: ConnectionState }) {
  const now = useSeconds(state.status === "waiting" ? state.retryAt : undefined);
  const transport = state.status === "connected" ? state.transport : undefined;
  const wire: WireStatus = transport ?? (state.status as Exclude<typeof state.status, "connected">);
  const tries = state.status === "waiting" || state.status === "connecting" ? state.attempt : 1;
  return (
    <section
      className="indicator"
      aria-label="Connection"
      data-testid="connection"
      data-status={state.status}
      data-transport={transport}
    >
      <Wire status={wire} />
      <div className="indicator-text">
        <p className="headline" title={transport && statusText(state)}>
          {headline(state, now)}
          {tries > 1 && <span className="tries"> · attempt {tries}</span>}
        </p>
        <p className="reason">{reasonText(state)}</p>
      </div>
      {state.status === "closed" && (
        <button type="button" className="button small" onClick={() => location.reload()}>
          Reload
        </button>
      )}
    </section>
  );
}

/** The current time, updated every second until `target`. */
function useSeconds(target: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (target === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tick = () => {
      const time = Date.now();
      setNow(time);
      if (time < target) timer = setTimeout(tick, (target - time) % 1000 || 1000);
    };
    tick();
    return () => clearTimeout(timer);
  }, [target]);
  return now;
}
