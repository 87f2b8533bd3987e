// Where one writes. Enter sends on a keyboard, Shift and Enter begins a line; on a touch screen Enter begins a line, because
// the button is under the thumb anyway. What is written waits in the room until it is sent.

import { type KeyboardEvent, type SubmitEvent, useEffect, useId, useLayoutEffect, useRef } from "react";
import { SendIcon } from "../app/icons";
import { useMedia } from "../app/media";

/** Longest message, in characters: well within the 32 KiB of JSON that the protocol takes. */
const MAX_TEXT = 4000;

interface Props {
  room: string;
  draft: string;
  onDraft(text: string): void;
  onSend(text: string): void;
}

export function Composer({ room, draft, onDraft, onSend }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const touch = useMedia("(pointer: coarse)");
  const id = useId();
  const text = draft.trim();

  // As high as its text, up to the bound in the style sheet.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [draft, room]);

  // On a keyboard one can write at once; on a touch screen that would push the page away. Takes the focus from nobody.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the room appears
  useEffect(() => {
    if (!touch && document.activeElement === document.body) field.current?.focus();
  }, []);

  const send = () => {
    if (text === "") return;
    onSend(text);
    field.current?.focus();
  };

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    send();
  };

  const key = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || touch) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={submit}>
      <label className="hidden" htmlFor={id}>
        Message to {room}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={1}
        value={draft}
        maxLength={MAX_TEXT}
        placeholder={`Message #${room}`}
        dir="auto"
        onChange={(event) => onDraft(event.target.value)}
        onKeyDown={key}
      />
      <button type="submit" className="send" aria-label="Send" aria-disabled={text === ""}>
        <SendIcon />
      </button>
    </form>
  );
}
