// A member of a chat: status and role, and for owners the controls to change them.

import type { Task } from "../controls/useTask";
import type { ChatMember, Role, Room } from "../messenger/messengerApi";
import { Avatar } from "../people/Avatar";
import { nameOf } from "../people/people";
import { statusText } from "../people/statusText";
import { useNow } from "../people/useNow";
import { ROLES } from "./changes";

interface Props {
  member: ChatMember;
  me: string;
  /** Whether the user may change it. */
  owns: boolean;
  group: boolean;
  room: Room;
  task: Task;
}

const GIVEN: readonly Role[] = ["owner", "member", "read_only"];

export function MemberRow({ member, me, owns, group, room, task }: Props) {
  const now = useNow();
  const { user, role, status } = member;
  const name = nameOf(member);
  return (
    <li data-testid="member" data-user={user} data-role={role} data-status={status}>
      <Avatar user={user} name={name} status={status} />
      <span className="member-text">
        <bdi className="name">{name}</bdi>
        <span className="muted">
          {user === me ? "you" : statusText(member, now)}
          {group && !(owns && role !== "invited") && ` · ${ROLES[role].toLowerCase()}`}
        </span>
      </span>
      {owns && role !== "invited" && (
        <select
          className="field small"
          aria-label={`Role of ${name}`}
          value={role}
          disabled={task.busy}
          onChange={(event) => void task.run(() => room.setRole(user, event.target.value as Role))}
        >
          {GIVEN.map((given) => (
            <option key={given} value={given}>
              {ROLES[given]}
            </option>
          ))}
        </select>
      )}
      {owns && user !== me && (
        <button
          type="button"
          className="button small"
          aria-label={role === "invited" ? `Cancel the invitation of ${name}` : `Remove ${name}`}
          disabled={task.busy}
          onClick={() => void task.run(() => room.remove(user))}
        >
          {role === "invited" ? "Cancel invitation" : "Remove"}
        </button>
      )}
    </li>
  );
}
