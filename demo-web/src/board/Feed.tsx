// What people do, the latest first.

import { Monogram } from "../people/Initials";
import { nameOf } from "../people/people";
import { ago } from "../people/statusText";
import type { Activity } from "./board";

interface Props {
  feed: readonly Activity[];
  now: number;
  ready: boolean;
}

export function Feed({ feed, now, ready }: Props) {
  return (
    <section className="card feed" aria-labelledby="feed-title">
      <h2 id="feed-title">What people do</h2>
      {feed.length === 0 && <p className="quiet">{ready ? "Nobody did anything yet." : "Fetching…"}</p>}
      <ol>
        {feed.map(({ id, user, activity, at, live }) => (
          <li key={id} data-live={live} data-testid="activity" data-user={user}>
            <Monogram user={user} name={nameOf({ user })} />
            <span>
              <strong>{nameOf({ user })}</strong> {activity}
            </span>
            <time className="quiet" dateTime={new Date(at).toISOString()}>
              {ago(at, now)}
            </time>
          </li>
        ))}
      </ol>
    </section>
  );
}
