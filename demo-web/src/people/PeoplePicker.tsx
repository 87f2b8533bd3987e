// A list of people to choose from, with a search field.

import { useId, useState } from "react";
import { Avatar } from "./Avatar";
import { type Contact, matching } from "./contacts";
import { statusText } from "./statusText";
import { useNow } from "./useNow";

interface Props {
  contacts: readonly Contact[];
  chosen: ReadonlySet<string>;
  onChange(chosen: ReadonlySet<string>): void;
}

export function PeoplePicker({ contacts, chosen, onChange }: Props) {
  const [typed, setTyped] = useState("");
  const now = useNow();
  const id = useId();
  const shown = matching(contacts, typed);

  const toggle = (user: string) => {
    const next = new Set(chosen);
    if (!next.delete(user)) next.add(user);
    onChange(next);
  };

  return (
    <fieldset className="picker">
      <legend>People</legend>
      <label className="visually-hidden" htmlFor={id}>
        Find people
      </label>
      <input
        id={id}
        type="search"
        className="field"
        placeholder="Find people"
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
      <ul>
        {shown.map((contact) => (
          <li key={contact.user}>
            <label className="pick">
              <input
                type="checkbox"
                checked={chosen.has(contact.user)}
                onChange={() => toggle(contact.user)}
              />
              <Avatar user={contact.user} name={contact.name} status={contact.status} />
              <bdi className="name">{contact.name}</bdi>
              <span className="muted">{statusText(contact, now)}</span>
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p className="muted">No matches. People appear here after they have signed in once.</p>
      )}
    </fieldset>
  );
}
