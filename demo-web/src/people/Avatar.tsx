// A person's initials with a status dot. Decorative: name and status are written beside it.

import type { Status } from "../messenger/messengerApi";
import { Initials } from "./Initials";
import { StatusDot } from "./StatusDot";

interface Props {
  user: string;
  name: string;
  status?: Status | undefined;
}

export function Avatar({ user, name, status }: Props) {
  return (
    <span className="avatar" aria-hidden="true">
      <Initials user={user} name={name} />
      {status && <StatusDot status={status} />}
    </span>
  );
}
