// The message field. With a keyboard, Enter sends and Shift+Enter inserts a line break; on touch screens Enter inserts
// a line break, since the button is within reach. Esc cancels a reply or an edit; Up in an empty field edits the last
// message.

import { ArrowUpIcon, CheckIcon, XIcon } from "lucide-react";
import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useLayoutEffect, useRef } from "react";
import { useMedia } from "../page/useMedia";
import type { Draft } from "./drafts";

/** Maximum length of a message, in characters: well within the protocol's limit of 32 KiB of JSON. */
const MAX_TEXT = 4000;

interface Props {
  title: string;
  draft: Draft;
  /** The message that is replied to or edited, in one line. */
  about: { readonly author: string; readonly text: string } | undefined;
  onText(text: string): void;
  onSubmit(text: string): void;
  onCancel(): void;
  onEditLast(): void;
}

export function Composer({ title, draft, about, onText, onSubmit, onCancel, onEditLast }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const touch = useMedia("(pointer: coarse)");
  const id = useId();
  const text = draft.text.trim();
  const editing = draft.editing !== undefined;

  // The field grows with its text, up to the limit in the style sheet.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [draft.text, title]);

  // Focus the field when a chat opens, but not on touch screens, where the keyboard would cover the page, and not if
  // something else has the focus.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the chat appears
  useEffect(() => {
    const { activeElement } = document;
    if (!touch && (activeElement === document.body || activeElement?.closest(".chat-item")))
      field.current?.focus();
  }, []);

  // Choosing to reply or edit moves the focus to the field.
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

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && target !== undefined) {
      event.preventDefault();
      onCancel();
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
            <strong>{editing ? "Edit message" : `Reply to ${about.author}`}</strong>
            <span className="quote-text" dir="auto">
              {about.text}
            </span>
          </p>
          <button
            type="button"
            className="icon-button small"
            aria-label={editing ? "Cancel edit" : "Cancel reply"}
            onClick={() => {
              onCancel();
              field.current?.focus();
            }}
          >
            <XIcon />
          </button>
        </div>
      )}
      <label className="visually-hidden" htmlFor={id}>
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
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        className="send"
        aria-label={editing ? "Save" : "Send"}
        aria-disabled={text === ""}
      >
        {editing ? <CheckIcon /> : <ArrowUpIcon />}
      </button>
    </form>
  );
}
