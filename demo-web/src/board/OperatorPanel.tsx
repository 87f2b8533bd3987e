// Plays the back end: buttons that publish through the HTTP API, and the equivalent curl command.

import { useEffect, useId, useRef, useState } from "react";
import { useTask } from "../controls/useTask";
import type { Board } from "./board";
import { BOARD } from "./board";
import { advanceOrder, type BoardEvent, newActivity, newOrder, nextShopEvent, toggleSystem } from "./events";
import {
  type Call,
  call,
  curlOf,
  notifyCall,
  type Operator,
  operatorOfThisServer,
  publishCall,
} from "./operator";

/** How often a busy shop publishes something, in ms. */
const BUSY_MS = 1_500;

export function OperatorPanel({ board, me }: { board: Board; me: string }) {
  const [operator, setOperator] = useState<Operator | "unknown" | "none">("unknown");
  const [last, setLast] = useState<Call>();
  const [busyShop, setBusyShop] = useState(false);
  const { busy, failed, run } = useTask();
  const id = useId();

  useEffect(() => {
    let mounted = true;
    void operatorOfThisServer().then((given) => mounted && setOperator(given ?? "none"));
    return () => {
      mounted = false;
    };
  }, []);

  const make = (one: Call) => {
    if (typeof operator === "string") return;
    setLast(one);
    void run(() => call(operator, one));
  };
  const publish = (event: BoardEvent | undefined) => {
    if (event) make(publishCall(BOARD, event.event, event.data));
  };

  const happen = useRef(() => {});
  happen.current = () => publish(nextShopEvent(board, me, Math.random));
  useEffect(() => {
    if (!busyShop) return;
    const timer = setInterval(() => happen.current(), BUSY_MS);
    return () => clearInterval(timer);
  }, [busyShop]);

  return (
    <section className="card operator" aria-labelledby={id}>
      <h2 id={id}>Play the back end</h2>
      <p className="muted">
        These buttons call the server’s HTTP API, as a shop’s own server would. This page has the API key
        because this is a demo on your machine;{" "}
        <strong>in an application the key never leaves the back end.</strong>
      </p>
      {operator === "none" ? (
        <p className="operator-none">
          This server has not given its pages an API key. <code>cargo xtask demo</code> starts one that does.
        </p>
      ) : (
        <>
          <div className="operator-buttons">
            <Action name="New order" onPress={() => publish(newOrder(board, Math.random))} />
            <Action
              name="Advance an order"
              onPress={() => publish(advanceOrder(board))}
              off={board.orders.size === 0}
            />
            <Action
              name="Break or repair a system"
              onPress={() => publish(toggleSystem(board, Math.random))}
            />
            <Action name="Log an activity" onPress={() => publish(newActivity(me, Math.random))} />
            <Action
              name="Notify everybody"
              onPress={() => make(notifyCall("Sale today", "Everything on the board is half price."))}
            />
            <button
              type="button"
              role="switch"
              className="switch"
              aria-checked={busyShop}
              onClick={() => setBusyShop(!busyShop)}
            >
              <span className="switch-track" aria-hidden="true" />
              Busy shop
            </button>
          </div>
          {failed && <p role="alert">{failed}</p>}
          <p className="visually-hidden" role="status" data-testid="operator" data-busy={busy}>
            {last && !busy && !failed && "Published."}
          </p>
          {last && (
            <details className="curl">
              <summary>The same with curl</summary>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable with the keyboard */}
              <pre tabIndex={0}>{curlOf(last, location.origin)}</pre>
            </details>
          )}
        </>
      )}
    </section>
  );
}

function Action({ name, onPress, off = false }: { name: string; onPress(): void; off?: boolean }) {
  return (
    <button type="button" className="button" disabled={off} onClick={onPress}>
      {name}
    </button>
  );
}
