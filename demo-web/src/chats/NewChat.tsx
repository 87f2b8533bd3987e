// Creates a chat: a direct one, or a group.

import { type SubmitEvent, useId, useState } from "react";
import { Dialog } from "../controls/Dialog";
import { useTask } from "../controls/useTask";
import { useMessenger } from "../messenger/context";
import { openChat } from "../page/route";
import type { Contact } from "../people/contacts";
import { PeoplePicker } from "../people/PeoplePicker";
import { firstName } from "../people/people";

/** Maximum length of a title, in characters: the protocol allows 128 bytes, and a character takes at most four. */
export const MAX_TITLE = 32;

interface Props {
  contacts: readonly Contact[];
  onClose(): void;
}

export function NewChat({ contacts, onClose }: Props) {
  const client = useMessenger();
  const { busy, failed, run } = useTask();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [title, setTitle] = useState("");
  const [open, setOpen] = useState(false);
  const id = useId();
  const [only] = chosen;
  const direct = chosen.size === 1 && title.trim() === "";
  const partner = direct ? contacts.find(({ user }) => user === only) : undefined;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy || (chosen.size === 0 && title.trim() === "")) return;
    const users = [...chosen];
    const name = title.trim();
    await run(async () => {
      const chat =
        direct && only !== undefined
          ? await client.chats.direct(only)
          : await client.chats.create({ users, open, ...(name && { title: name }) });
      onClose();
      openChat(chat.id);
    });
  };

  return (
    <Dialog title="New chat" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <PeoplePicker contacts={contacts} chosen={chosen} onChange={setChosen} />
        <label htmlFor={`${id}t`}>
          Title <span className="optional">(makes it a group)</span>
        </label>
        <input
          id={`${id}t`}
          className="field"
          value={title}
          maxLength={MAX_TITLE}
          autoComplete="off"
          onChange={(event) => setTitle(event.target.value)}
        />
        {!direct && (
          <label className="tick">
            <input type="checkbox" checked={open} onChange={(event) => setOpen(event.target.checked)} />
            Anyone with the link can join
          </label>
        )}
        {failed && <p role="alert">{failed}</p>}
        <button
          type="submit"
          className="button primary"
          disabled={busy || (chosen.size === 0 && title.trim() === "")}
        >
          {partner ? `Write to ${firstName(partner.name)}` : "Create group"}
        </button>
      </form>
    </Dialog>
  );
}
