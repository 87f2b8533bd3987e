// The faults that a visitor can inject, each with a description, and a button that ends all of them.

import { type ReactNode, useEffect, useId, useRef, useSyncExternalStore } from "react";
import { FaultButton, FaultSlider, FaultSwitch } from "./FaultControls";
import { activeFaults, duration } from "./faultState";
import { PLANNED_RESTART } from "./plannedRestart";
import type { FaultLab } from "./services";

/** How long the page is frozen, in ms: long enough to be noticed by the client. */
const FREEZE_MS = 10_000;
/** A slider that has not moved for this long, in ms, has its final value. */
const DEBOUNCE_MS = 600;

export function Faults({ lab: { layer, eventLog, timeline } }: { lab: FaultLab }) {
  const state = useSyncExternalStore(
    (listener) => layer.subscribe(listener),
    () => layer.state,
  );
  const debounced = useDebounced();
  const log = (title: string, reason = "") => eventLog.add("fault", title, reason);

  return (
    <section className="faults-section" id="lab-faults" aria-label="Faults">
      <Group title="A bad network">
        <FaultSlider
          label="Latency"
          description="Added to each direction, so a round trip takes twice as long."
          value={state.latencyMs}
          max={2000}
          step={50}
          text={state.latencyMs === 0 ? "none" : `${duration(state.latencyMs)} each way`}
          onChange={(ms) => {
            layer.delay(ms);
            debounced(() =>
              log(ms === 0 ? "You removed the latency" : `You added ${duration(ms)} of latency each way`),
            );
          }}
        />
        <FaultSlider
          label="Loss"
          description="Lost packets show up as delays. TCP retransmits them, so a WebSocket stalls for 0.2 s or longer each time. A lost request fails, before or after it reached the server."
          value={Math.round(state.loss * 100)}
          max={50}
          step={5}
          text={state.loss === 0 ? "none" : `${Math.round(state.loss * 100)} %`}
          onChange={(percent) => {
            layer.lose(percent / 100);
            debounced(() =>
              log(percent === 0 ? "You ended the packet loss" : `You set the packet loss to ${percent} %`),
            );
          }}
        />
        <FaultButton
          label="Drop the socket"
          description="Cuts the connection once, like a cable that is unplugged and plugged back in. After several quick failures the client switches to HTTP polling."
          onClick={() => {
            const { sockets, requests } = layer.live;
            log("You dropped the connection", droppedText(sockets, requests));
            timeline.moment("Dropped");
            layer.drop();
          }}
        />
      </Group>

      <Group title="A proxy in between">
        <FaultSwitch
          label="Block WebSocket"
          description="Like a proxy that refuses WebSocket: the client has to use HTTP polling."
          on={state.websocketBlocked}
          onChange={(on) => {
            log(on ? "You blocked WebSocket" : "You unblocked WebSocket");
            layer.blockWebSocket(on);
          }}
        />
        <FaultSlider
          label="Kill sockets"
          description="Like a proxy that lets a WebSocket open and then cuts it. Polling is not affected. The client counts a WebSocket that lasted 10 s as working."
          value={state.killAfterMs}
          max={15_000}
          step={500}
          text={state.killAfterMs === 0 ? "never" : `after ${duration(state.killAfterMs)}`}
          onChange={(ms) => {
            layer.killAfter(ms);
            debounced(() =>
              log(
                ms === 0
                  ? "You stopped killing sockets"
                  : `You set sockets to be killed after ${duration(ms)}`,
              ),
            );
          }}
        />
      </Group>

      <Group title="No network">
        <FaultSwitch
          label="Black hole"
          description="Nothing is refused and nothing arrives. Open connections look open, but stay dead even after the fault ends, as when a router forgets a connection. The client has to detect the silence."
          on={state.blackHole}
          onChange={(on) => {
            log(on ? "You started a black hole" : "You ended the black hole");
            layer.blackHole(on);
          }}
        />
        <FaultSwitch
          label="Go offline"
          description="No network, and the browser reports it. Your messages wait."
          on={state.offline}
          onChange={(on) => {
            log(on ? "You went offline" : "You went back online");
            layer.goOffline(on);
          }}
        />
      </Group>

      <Group title="Page and server">
        <FaultSwitch
          label={`Freeze for ${duration(FREEZE_MS)}`}
          description="Like a tab that the browser freezes in the background: timers and network events wait and then arrive late, all at once. This panel and typing still work, so that you can watch."
          on={state.frozen}
          onChange={(on) => {
            // The end is logged by services.ts, since it usually comes automatically.
            if (!on) return layer.thaw();
            log("You froze the page", "Timers and network events wait");
            layer.freeze(FREEZE_MS);
          }}
        />
        <FaultButton
          label="Restart the server"
          description="Simulated: an announcement, a close, and a second without a server. For a real restart, press Ctrl-C where “cargo xtask demo” runs, and start it again."
          onClick={() => {
            log("You simulated a server restart", "The real server keeps running");
            layer.restart(PLANNED_RESTART);
          }}
        />
      </Group>

      <button
        type="button"
        className="button end-all"
        onClick={() => {
          if (activeFaults(state).length > 0) log("You ended all faults");
          layer.endAll();
        }}
      >
        End all faults
      </button>
    </section>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a grid everywhere
    <div className="fault-group" role="group" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </div>
  );
}

/** Debounces actions: runs the last one after a pause. */
function useDebounced(): (act: () => void) => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (act) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(act, DEBOUNCE_MS);
  };
}

function droppedText(sockets: number, requests: number): string {
  if (sockets + requests === 0) return "There was no connection";
  return [sockets > 0 && "a WebSocket was cut", requests > 0 && "a request was cut"]
    .filter(Boolean)
    .join(", ");
}
