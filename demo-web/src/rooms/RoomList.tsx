// The rooms to choose from, and the field that opens a new one. Each is a link, so it can be copied, and opened in a second
// window.

import { type SubmitEvent, useId, useState } from "react";
import { PlusIcon } from "../app/icons";
import { hrefOfRoom, openRoom } from "../app/route";
import { GIVEN_ROOMS, MAX_SLUG, slugOf } from "./names";

interface Props {
  current: string;
  /** The visitor's own rooms. */
  own: readonly string[];
  /** Called when a room was chosen, also the one that is open. */
  onChosen(): void;
}

export function RoomList({ current, own, onChosen }: Props) {
  const slugs = [...GIVEN_ROOMS.keys(), ...own];
  return (
    <nav className="rooms" aria-labelledby="rooms-title">
      <h2 id="rooms-title">Rooms</h2>
      <ul>
        {slugs.map((slug) => (
          <li key={slug}>
            <a
              href={hrefOfRoom(slug)}
              aria-current={slug === current ? "page" : undefined}
              onClick={onChosen}
            >
              <span className="hash" aria-hidden="true">
                #
              </span>
              {slug}
            </a>
          </li>
        ))}
      </ul>
      <NewRoom onChosen={onChosen} />
    </nav>
  );
}

function NewRoom({ onChosen }: { onChosen(): void }) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const field = useId();

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const slug = slugOf(typed);
    if (slug === undefined) {
      setWrong(true);
      return;
    }
    setTyped("");
    openRoom(slug);
    onChosen();
  };

  return (
    <form className="new-room" onSubmit={submit} noValidate>
      <label className="hidden" htmlFor={field}>
        Name of a new room
      </label>
      <input
        id={field}
        className="field"
        placeholder="New room…"
        value={typed}
        maxLength={MAX_SLUG}
        autoComplete="off"
        autoCapitalize="none"
        aria-invalid={wrong}
        aria-describedby={wrong ? `${field}-wrong` : undefined}
        onChange={(event) => {
          setTyped(event.target.value);
          setWrong(false);
        }}
      />
      <button type="submit" className="icon-button" aria-label="Open room">
        <PlusIcon />
      </button>
      {wrong && (
        <p className="field-wrong" id={`${field}-wrong`} role="alert">
          A room needs a name with letters from a to z or digits.
        </p>
      )}
    </form>
  );
}
