// Where one writes. Enter sends on a keyboard, Shift and Enter begins a line; on a touch screen Enter begins a line, because
// the button is under the thumb anyway. Esc gives up an answer or a correction; Up in an empty field corrects the last message.

import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useLayoutEffect, useRef } from "react";
import { CheckIcon, CloseIcon, SendIcon } from "../app/icons";
import { useMedia } from "../app/useMedia";
import type { Draft } from "./drafts";

/** Longest message, in characters: well within the 32 KiB of JSON that the protocol takes. */
const MAX_TEXT = 4000;

interface Props {
  title: string;
  draft: Draft;
  /** What is answered or corrected, in a line. */
  about: { readonly author: string; readonly text: string } | undefined;
  onText(text: string): void;
  onSubmit(text: string): void;
  onGiveUp(): void;
  onEditLast(): void;
}

export function Composer({ title, draft, about, onText, onSubmit, onGiveUp, onEditLast }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const touch = useMedia("(pointer: coarse)");
  const id = useId();
  const text = draft.text.trim();
  const editing = draft.editing !== undefined;

  // As high as its text, up to the bound in the style sheet.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [draft.text, title]);

  // On a keyboard one can write at once; on a touch screen that would push the page away. Takes the focus from nobody.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the chat appears
  useEffect(() => {
    const { activeElement } = document;
    if (!touch && (activeElement === document.body || activeElement?.closest(".chat-item")))
      field.current?.focus();
  }, []);

  // Whoever chose to answer or to correct wants to write.
  const target = draft.editing ?? draft.replyTo;
  const before = useRef(target);
  useEffect(() => {
    if (target !== undefined && target !== before.current) field.current?.focus();
    before.current = target;
  }, [target]);

  const send = () => {
    if (text === "") return;
    onSubmit(text);
    field.current?.focus();
  };

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    send();
  };

  const key = (event: KeyboardEvent) => {
    if (event.key === "Escape" && target !== undefined) {
      event.preventDefault();
      onGiveUp();
    }
    if (event.key === "ArrowUp" && draft.text === "" && !editing) {
      event.preventDefault();
      onEditLast();
    }
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || touch) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={submit}>
      {about && (
        <div className="about" data-testid="about">
          <p>
            <strong>{editing ? "Correct your message" : `Answer to ${about.author}`}</strong>
            <span className="quote-text" dir="auto">
              {about.text}
            </span>
          </p>
          <button
            type="button"
            className="icon-button small"
            aria-label={editing ? "Do not correct" : "Do not answer"}
            onClick={() => {
              onGiveUp();
              field.current?.focus();
            }}
          >
            <CloseIcon />
          </button>
        </div>
      )}
      <label className="hidden" htmlFor={id}>
        Message to {title}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={1}
        value={draft.text}
        maxLength={MAX_TEXT}
        placeholder={`Message to ${title}`}
        dir="auto"
        onChange={(event) => onText(event.target.value)}
        onKeyDown={key}
      />
      <button
        type="submit"
        className="send"
        aria-label={editing ? "Save" : "Send"}
        aria-disabled={text === ""}
      >
        {editing ? <CheckIcon /> : <SendIcon />}
      </button>
    </form>
  );
}
