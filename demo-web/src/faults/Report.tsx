// The client's report, for bug reports: copied to the clipboard, or shown in a field where that is not allowed.

import type { Client } from "everwire";
import { useId, useState } from "react";

type Outcome = { readonly copied: true } | { readonly copied: false; readonly text: string };

export function Report({ client }: { client: Client }) {
  const id = useId();
  const [outcome, setOutcome] = useState<Outcome>();
  const copy = async () => {
    const text = client.report();
    try {
      await navigator.clipboard.writeText(text);
      setOutcome({ copied: true });
    } catch {
      // The clipboard requires a secure context and permission.
      setOutcome({ copied: false, text });
    }
  };
  return (
    <section className="report" aria-labelledby={`${id}title`}>
      <h3 id={`${id}title`}>Report</h3>
      <div className="fault">
        <button type="button" className="button" aria-describedby={id} onClick={() => void copy()}>
          Copy report
        </button>
        <p id={id}>
          The last 200 frames and state changes, for a bug report. It contains no message text and no tokens.
        </p>
      </div>
      <p role="status">{outcome?.copied && "Copied."}</p>
      {outcome?.copied === false && (
        <>
          <label htmlFor={`${id}text`}>The clipboard is not available. Copy the report from here:</label>
          <textarea id={`${id}text`} className="field" readOnly rows={6} value={outcome.text} />
        </>
      )}
    </section>
  );
}
