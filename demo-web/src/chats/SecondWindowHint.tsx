// A hint for visitors who are alone: open a second window as somebody else. Shown until it is dismissed.

import { XIcon } from "lucide-react";
import { useState } from "react";
import { addressAs } from "../people/identity";
import { firstName, partnerOf } from "../people/people";

const KEY = "everwire-demo.hint";

export function SecondWindowHint({ me }: { me: string }) {
  const [shown, setShown] = useState(() => !dismissed());
  if (!shown) return null;
  const partner = partnerOf(me);
  return (
    <section className="hint" aria-label="Hint">
      <p>
        Nobody to talk to?{" "}
        <a href={addressAs(partner.user)} target="_blank" rel="noopener">
          Open a second window as {firstName(partner.name)}
        </a>{" "}
        and put both side by side.
      </p>
      <button
        type="button"
        className="icon-button small"
        aria-label="Dismiss the hint"
        onClick={() => {
          setShown(false);
          try {
            localStorage.setItem(KEY, "dismissed");
          } catch {
            // Storage is denied: the hint appears again on the next page load.
          }
        }}
      >
        <XIcon />
      </button>
    </section>
  );
}

function dismissed(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
