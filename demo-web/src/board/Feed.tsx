// The activity feed, latest first.

import { Initials } from "../people/Initials";
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
      <h2 id="feed-title">Activity</h2>
      {feed.length === 0 && <p className="muted">{ready ? "No activity yet." : "Loading…"}</p>}
      <ol>
        {feed.map(({ id, user, activity, at, live }) => (
          <li key={id} data-live={live} data-testid="activity" data-user={user}>
            <Initials user={user} name={nameOf({ user })} />
            <span>
              <strong>{nameOf({ user })}</strong> {activity}
            </span>
            <time className="muted" dateTime={new Date(at).toISOString()}>
              {ago(at, now)}
            </time>
          </li>
        ))}
      </ol>
    </section>
  );
}
