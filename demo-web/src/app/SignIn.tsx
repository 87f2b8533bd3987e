// The first thing that a visitor sees: who do you want to be? Nothing is connected before it is answered.

import { type SubmitEvent, useId, useState } from "react";
import { Wire } from "../connection/Wire";
import { Monogram } from "../people/Initials";
import { PEOPLE } from "../people/people";
import { type Identity, MAX_NAME, newUser, tidyName } from "./identity";

export function SignIn({ onDone }: { onDone(identity: Identity): void }) {
  return (
    <main className="gate">
      <div className="gate-card">
        <header className="gate-intro">
          <p className="wordmark">Everwire</p>
          <Wire status="idle" />
          <p className="quiet">A messenger that keeps its connection. Try to break it.</p>
        </header>
        <section aria-labelledby="people-title">
          <h1 id="people-title">Who do you want to be?</h1>
          <p className="quiet">They know each other, and have been talking. No password: this is a demo.</p>
          <ul className="people">
            {PEOPLE.map(({ user, name, line }) => (
              <li key={user}>
                <button type="button" className="person" onClick={() => onDone({ user, name })}>
                  <Monogram user={user} name={name} />
                  <span>
                    <strong>{name}</strong>
                    <span className="quiet">{line}</span>
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
    const name = tidyName(typed);
    if (name === undefined) setWrong(true);
    else onDone({ user: newUser(), name });
  };

  return (
    <form className="gate-new" onSubmit={submit} noValidate>
      <label htmlFor={field}>Or somebody new: your name</label>
      <div className="gate-line">
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
          Type a name first: a single letter will do.
        </p>
      )}
    </form>
  );
}
