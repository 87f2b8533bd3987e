// Who is in the room: oneself first, then everybody else by name.

import type { Member } from "everwire";
import { Monogram } from "../app/Monogram";

interface Props {
  members: readonly Member[];
  me: string;
}

export function Members({ members, me }: Props) {
  const sorted = [...members].sort(
    (a, b) => Number(b.user === me) - Number(a.user === me) || nameOf(a).localeCompare(nameOf(b)),
  );
  return (
    <section className="members" aria-labelledby="members-title">
      <h2 id="members-title">
        Here now <span className="count">{members.length}</span>
      </h2>
      {sorted.length === 0 && (
        <p className="quiet">Nobody is known to be here until the connection is there.</p>
      )}
      <ul>
        {sorted.map((member) => (
          <li key={member.user} data-testid="member" data-user={member.user}>
            <Monogram user={member.user} name={nameOf(member)} />
            <bdi className="name">{nameOf(member)}</bdi>
            {member.user === me && <span className="you">you</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function nameOf(member: Member): string {
  return member.name ?? member.user;
}
