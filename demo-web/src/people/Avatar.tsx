// Somebody's monogram with the status dot on its edge. Decoration: name and status are written beside it.

import type { Status } from "../messenger/messengerApi";
import { Monogram } from "./Initials";
import { StatusDot } from "./StatusDot";

interface Props {
  user: string;
  name: string;
  status?: Status | undefined;
}

export function Face({ user, name, status }: Props) {
  return (
    <span className="face" aria-hidden="true">
      <Monogram user={user} name={name} />
      {status && <StatusDot status={status} />}
    </span>
  );
}
