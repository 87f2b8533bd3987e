// A room in which nothing was said yet: an invitation, and a way to try it without a second person.

import { addressOfSecondPerson } from "../app/identity";
import { GIVEN_ROOMS } from "../rooms/names";

export function Empty({ room }: { room: string }) {
  return (
    <>
      <h2>It is quiet in #{room}</h2>
      <p className="quiet">
        {GIVEN_ROOMS.get(room) ?? "This room is new."} Say something: whoever comes later will find it here.
      </p>
      <p>
        <a href={addressOfSecondPerson()} target="_blank" rel="noopener">
          Open a second window as somebody else
        </a>
      </p>
    </>
  );
}
