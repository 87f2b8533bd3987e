// The chat's details: members and their roles, invitations, the title, and leaving.

import { type SubmitEvent, useId, useState } from "react";
import { MAX_TITLE } from "../chats/NewChat";
import { sizeOf, titleOf } from "../chats/titles";
import { Dialog } from "../controls/Dialog";
import { type Task, useTask } from "../controls/useTask";
import { useChatList } from "../messenger/context";
import type { Chat, Room } from "../messenger/messengerApi";
import { openChats } from "../page/route";
import { contactsOf } from "../people/contacts";
import { PeoplePicker } from "../people/PeoplePicker";
import { useOnline } from "../people/useOnline";
import { MemberRow } from "./MemberRow";

interface Props {
  chat: Chat;
  me: string;
  room: Room;
  onClose(): void;
}

export function ChatDetails({ chat, me, room, onClose }: Props) {
  const task = useTask();
  const group = chat.kind === "group";
  const owns = group && chat.role === "owner";
  return (
    <Dialog title={titleOf(chat, me)} onClose={onClose}>
      <div className="dialog-form">
        {task.failed && <p role="alert">{task.failed}</p>}
        <section aria-labelledby="members-title">
          <h3 id="members-title">
            People <span className="count">{sizeOf(chat)}</span>
          </h3>
          <ul className="members">
            {chat.members.map((member) => (
              <MemberRow
                key={member.user}
                member={member}
                me={me}
                owns={owns}
                group={group}
                room={room}
                task={task}
              />
            ))}
          </ul>
        </section>
        {group && chat.role !== "read_only" && <InviteForm chat={chat} me={me} room={room} task={task} />}
        {owns && <RenameForm chat={chat} room={room} task={task} />}
        {group && <LeaveButton room={room} task={task} />}
        {chat.open && <p className="muted">Anyone with the link to this chat can join.</p>}
      </div>
    </Dialog>
  );
}

interface PartProps {
  chat: Chat;
  room: Room;
  task: Task;
}

function InviteForm({ chat, me, room, task }: PartProps & { me: string }) {
  const chats = useChatList();
  const online = useOnline();
  const [picking, setPicking] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const inside = new Set(chat.members.map(({ user }) => user));
  const contacts = contactsOf(me, chats, online).filter(({ user }) => !inside.has(user));
  if (contacts.length === 0) return null;
  if (!picking) {
    return (
      <button type="button" className="button" onClick={() => setPicking(true)}>
        Invite people
      </button>
    );
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const invited = await task.run(() => Promise.all([...chosen].map((user) => room.invite(user))));
    if (!invited) return;
    setChosen(new Set());
    setPicking(false);
  };
  return (
    <form onSubmit={submit}>
      <PeoplePicker contacts={contacts} chosen={chosen} onChange={setChosen} />
      <button type="submit" className="button primary" disabled={task.busy || chosen.size === 0}>
        Invite
      </button>
    </form>
  );
}

function RenameForm({ chat, room, task }: PartProps) {
  const [title, setTitle] = useState(chat.title ?? "");
  const id = useId();
  const changed = title.trim() !== "" && title.trim() !== chat.title;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (changed) void task.run(() => room.rename(title.trim()));
      }}
    >
      <label htmlFor={id}>Title</label>
      <div className="field-line">
        <input
          id={id}
          className="field"
          value={title}
          maxLength={MAX_TITLE}
          autoComplete="off"
          onChange={(event) => setTitle(event.target.value)}
        />
        <button type="submit" className="button" disabled={task.busy || !changed}>
          Rename
        </button>
      </div>
    </form>
  );
}

function LeaveButton({ room, task }: Omit<PartProps, "chat">) {
  const [sure, setSure] = useState(false);
  const leave = async () => {
    if (await task.run(() => room.leave())) openChats();
  };
  return (
    <button
      type="button"
      className="button danger"
      disabled={task.busy}
      onClick={() => (sure ? void leave() : setSure(true))}
      onBlur={() => setSure(false)}
    >
      {sure ? "Press again to leave" : "Leave chat"}
    </button>
  );
}
