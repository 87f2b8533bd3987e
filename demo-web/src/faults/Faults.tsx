// The faults that a visitor can cause, each with a sentence on what it is like, and one button that ends them all.

import { type ReactNode, useEffect, useId, useRef, useSyncExternalStore } from "react";
import type { Lab } from "../app/services";
import { FaultButton, FaultSlider, FaultSwitch } from "./FaultControls";
import { activeFaults, duration } from "./faultState";
import { PLANNED_RESTART } from "./plannedRestart";

/** How long a tab is frozen, in ms: more than a client can take for a hiccup. */
const FREEZE_MS = 10_000;
/** A slider that has not moved for so long, in ms, is where it was wanted. */
const SETTLED_MS = 600;

export function Faults({ lab: { layer, journal, timeline } }: { lab: Lab }) {
  const state = useSyncExternalStore(
    (listener) => layer.subscribe(listener),
    () => layer.state,
  );
  const settled = useSettled();
  const note = (title: string, reason = "") => journal.add("fault", title, reason);

  return (
    <section className="faults-section" id="lab-faults" aria-label="Faults">
      <Group title="A bad network">
        <FaultSlider
          label="Latency"
          says="Added to each direction, so a round trip takes twice as long."
          value={state.latencyMs}
          max={2000}
          step={50}
          words={state.latencyMs === 0 ? "none" : `${duration(state.latencyMs)} each way`}
          onChange={(ms) => {
            layer.delay(ms);
            settled(() =>
              note(ms === 0 ? "You took the latency away" : `You added ${duration(ms)} each way`),
            );
          }}
        />
        <FaultSlider
          label="Loss"
          says="A WebSocket runs over TCP, which repeats what was lost: there, loss is a stall of everything behind it, 0.2 s and longer each time. A request that is lost fails, before or after the server had it."
          value={Math.round(state.loss * 100)}
          max={50}
          step={5}
          words={state.loss === 0 ? "none" : `${Math.round(state.loss * 100)} %`}
          onChange={(percent) => {
            layer.lose(percent / 100);
            settled(() => note(percent === 0 ? "You stopped losing messages" : `You lose ${percent} %`));
          }}
        />
        <FaultButton
          label="Drop the socket"
          says="Cuts the connection once, like a cable pulled and put back. Three sockets in a row that brought nothing, or six that brought something and died young, look like a proxy that kills them: then the client takes to polling."
          onClick={() => {
            const { sockets, requests } = layer.live;
            note("You dropped the connection", liveWords(sockets, requests));
            timeline.moment("Dropped");
            layer.drop();
          }}
        />
      </Group>

      <Group title="Something in between">
        <FaultSwitch
          label="Block WebSocket"
          says="Like a proxy that refuses it: the client has to go on by polling."
          on={state.websocketBlocked}
          onChange={(on) => {
            note(on ? "You blocked WebSocket" : "You unblocked WebSocket");
            layer.blockWebSocket(on);
          }}
        />
        <FaultSlider
          label="Kill sockets"
          says="Like a proxy that lets a WebSocket open and cuts it after a while. Polling gets through. One that lives for 10 s has worked, as the client sees it."
          value={state.killAfterMs}
          max={15_000}
          step={500}
          words={state.killAfterMs === 0 ? "never" : `after ${duration(state.killAfterMs)}`}
          onChange={(ms) => {
            layer.killAfter(ms);
            settled(() =>
              note(ms === 0 ? "You let sockets live" : `You kill each socket after ${duration(ms)}`),
            );
          }}
        />
      </Group>

      <Group title="Gone">
        <FaultSwitch
          label="Black hole"
          says="Nothing is refused and nothing arrives. What is open looks open, and stays deaf afterwards too, as when a router forgets a connection. Nobody tells the client: silence has to."
          on={state.blackHole}
          onChange={(on) => {
            note(on ? "You opened a black hole" : "You closed the black hole");
            layer.blackHole(on);
          }}
        />
        <FaultSwitch
          label="Go offline"
          says="No network at all, and the browser says so. What you write waits."
          on={state.offline}
          onChange={(on) => {
            note(on ? "You went offline" : "You came back");
            layer.goOffline(on);
          }}
        />
      </Group>

      <Group title="Page and server">
        <FaultSwitch
          label={`Freeze for ${duration(FREEZE_MS)}`}
          says="As a browser freezes a tab in the background: timers and the network wait, then all come late at once. This panel and your typing go on, so that you can watch."
          on={state.frozen}
          onChange={(on) => {
            // The end is noted by whoever sees it: mostly it comes by itself.
            if (!on) return layer.thaw();
            note("You froze the page", "Timers and the network wait");
            layer.freeze(FREEZE_MS);
          }}
        />
        <FaultButton
          label="Restart the server"
          says="Only as it looks from here: “I am going”, a close, and a moment of nobody there. For the real thing, press Ctrl-C where “cargo xtask demo” runs, and start it again."
          onClick={() => {
            note("You had the server announce a restart", "Simulated: the server itself goes on");
            layer.restart(PLANNED_RESTART);
          }}
        />
      </Group>

      <button
        type="button"
        className="button heal"
        onClick={() => {
          if (activeFaults(state).length > 0) note("You ended all faults");
          layer.heal();
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

/** Does what it was told last, once it was not told anything for a while. */
function useSettled(): (act: () => void) => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (act) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(act, SETTLED_MS);
  };
}

function liveWords(sockets: number, requests: number): string {
  if (sockets + requests === 0) return "Nothing was connected just then";
  return [sockets > 0 && "a WebSocket was cut", requests > 0 && "a request was cut"]
    .filter(Boolean)
    .join(", ");
}
