// The first thing that a visitor sees: what is your name? Nothing is connected before it is answered.

import { type SubmitEvent, useId, useState } from "react";
import { Wire } from "../connection/Wire";
import { type Identity, MAX_NAME, newUser, tidyName } from "./identity";

interface Props {
  /** Whoever was here before, when the name is to be changed. */
  known: Identity | undefined;
  room: string;
  onDone(identity: Identity): void;
  onCancel?: (() => void) | undefined;
}

export function IdentityGate({ known, room, onDone, onCancel }: Props) {
  const [typed, setTyped] = useState(known?.name ?? "");
  const [wrong, setWrong] = useState(false);
  const field = useId();

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = tidyName(typed);
    if (name === undefined) setWrong(true);
    else onDone({ user: known?.user ?? newUser(), name });
  };

  return (
    <main className="gate">
      <form className="gate-card" onSubmit={submit} noValidate>
        <p className="wordmark">Everwire</p>
        <Wire status="idle" />
        <p className="quiet">A chat that keeps its connection. Try to break it.</p>
        <h1>What should we call you?</h1>
        {known ? (
          <p className="quiet">Others see the new name from your next message on.</p>
        ) : (
          <p className="quiet">
            You are about to enter <strong>#{room}</strong>. No account, no password: others there see the
            name that you choose.
          </p>
        )}
        <label htmlFor={field}>Your name</label>
        <input
          id={field}
          className="field"
          value={typed}
          maxLength={MAX_NAME}
          autoComplete="nickname"
          // biome-ignore lint/a11y/noAutofocus: the page has this one question and nothing before it
          autoFocus
          aria-invalid={wrong}
          aria-describedby={wrong ? `${field}-wrong` : undefined}
          onChange={(event) => {
            setTyped(event.target.value);
            setWrong(false);
          }}
        />
        {wrong && (
          <p className="field-wrong" id={`${field}-wrong`} role="alert">
            Type a name first: a single letter will do.
          </p>
        )}
        <div className="gate-actions">
          <button type="submit" className="button primary">
            {known ? "Save" : "Enter"}
          </button>
          {onCancel && (
            <button type="button" className="button" onClick={onCancel}>
              Cancel
            </button>
          )}
        </div>
      </form>
    </main>
  );
}
