// The button that opens and closes the fault panel. It shows active faults even while the panel is closed.

import { UnplugIcon } from "lucide-react";
import { type RefObject, useSyncExternalStore } from "react";
import type { FaultLayer } from "../faults/faultLayer";
import { activeFaults } from "../faults/faultState";

interface Props {
  layer: FaultLayer;
  open: boolean;
  onToggle(): void;
  ref: RefObject<HTMLButtonElement | null>;
}

export function BreakButton({ layer, open, onToggle, ref }: Props) {
  const faults = useSyncExternalStore(
    (listener) => layer.subscribe(listener),
    () => layer.state,
  );
  const faulty = activeFaults(faults).length > 0;
  return (
    <button
      ref={ref}
      type="button"
      className="button break"
      aria-expanded={open}
      aria-controls={open ? "faults" : undefined}
      data-faulty={faulty}
      onClick={onToggle}
    >
      <UnplugIcon />
      <span className="break-word">Break it</span>
      {faulty && <span className="visually-hidden"> (a fault is active)</span>}
    </button>
  );
}
