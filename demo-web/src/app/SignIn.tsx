// The sign-in page. Nothing connects before the visitor has chosen a person.

import { type SubmitEvent, useId, useState } from "react";
import { Wire } from "../connection/Wire";
import { Initials } from "../people/Initials";
import { type Identity, MAX_NAME, newUser, normalizeName } from "../people/identity";
import { PEOPLE } from "../people/people";

export function SignIn({ onDone }: { onDone(identity: Identity): void }) {
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <header className="sign-in-intro">
          <p className="wordmark">Everwire</p>
          <Wire status="idle" />
          <p className="muted">A messenger with a connection that lasts. Try to break it.</p>
        </header>
        <section aria-labelledby="people-title">
          <h1 id="people-title">Who do you want to be?</h1>
          <p className="muted">They already have chats with each other. No password: this is a demo.</p>
          <ul className="people">
            {PEOPLE.map(({ user, name, line }) => (
              <li key={user}>
                <button type="button" className="person" onClick={() => onDone({ user, name })}>
                  <Initials user={user} name={name} />
                  <span>
                    <strong>{name}</strong>
                    <span className="muted">{line}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </section>
        <NewPerson onDone={onDone} />
      </div>
    </main>
  );
}

function NewPerson({ onDone }: { onDone(identity: Identity): void }) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const field = useId();

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = normalizeName(typed);
    if (name === undefined) setWrong(true);
    else onDone({ user: newUser(), name });
  };

  return (
    <form className="sign-in-new" onSubmit={submit} noValidate>
      <label htmlFor={field}>Or enter a new name</label>
      <div className="field-line">
        <input
          id={field}
          className="field"
          value={typed}
          maxLength={MAX_NAME}
          autoComplete="nickname"
          aria-invalid={wrong}
          aria-describedby={wrong ? `${field}-wrong` : undefined}
          onChange={(event) => {
            setTyped(event.target.value);
            setWrong(false);
          }}
        />
        <button type="submit" className="button primary">
          Enter
        </button>
      </div>
      {wrong && (
        <p className="field-wrong" id={`${field}-wrong`} role="alert">
          Enter a name first.
        </p>
      )}
    </form>
  );
}
