// The shop's systems and their status, as text and colour.

import { ago } from "../people/statusText";
import type { System } from "./board";

interface Props {
  systems: ReadonlyMap<string, System>;
  now: number;
  ready: boolean;
}

export function Systems({ systems, now, ready }: Props) {
  const sorted = [...systems.values()].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <section className="card systems" aria-labelledby="systems-title">
      <h2 id="systems-title">Systems</h2>
      {sorted.length === 0 && <p className="muted">{ready ? "No status yet." : "Loading…"}</p>}
      <ul>
        {sorted.map(({ name, status, message, at, live }) => (
          <li
            key={`${name} ${at}`}
            data-live={live}
            data-testid="system"
            data-system={name}
            data-status={status}
          >
            <strong>{name}</strong>
            <span className="chip" data-chip={status}>
              {status}
            </span>
            <span className="muted">
              {message} · {ago(at, now)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
