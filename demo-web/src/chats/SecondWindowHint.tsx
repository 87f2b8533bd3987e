// A hint for those who are alone: be two people, in two windows. Gone once it is dismissed.

import { useState } from "react";
import { CloseIcon } from "../app/icons";
import { addressAs } from "../app/identity";
import { firstName, partnerOf } from "../people/people";

const KEY = "everwire-demo.hint";

export function SecondWindow({ me }: { me: string }) {
  const [shown, setShown] = useState(() => !dismissed());
  if (!shown) return null;
  const partner = partnerOf(me);
  return (
    <section className="hint" aria-label="A hint">
      <p>
        Nobody to talk with?{" "}
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
            // It comes back with the next page.
          }
        }}
      >
        <CloseIcon />
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
