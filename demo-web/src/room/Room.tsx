// The room that is open: its conversation and the field to write in. Receives the channel for as long as it is shown.

import { useChannel } from "everwire/react";
import { type ReactNode, useCallback, useSyncExternalStore } from "react";
import { Composer } from "./Composer";
import type { MessageEntry } from "./log";
import { MessageList } from "./MessageList";
import { RECENT, type RoomStore } from "./store";

interface Props {
  store: RoomStore;
  me: string;
  empty: ReactNode;
}

export function Room({ store, me, empty }: Props) {
  useChannel(store.channel, { recent: RECENT });
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  const log = useSyncExternalStore(subscribe, () => store.log);
  const draft = useSyncExternalStore(subscribe, () => store.draft);
  const refused = useSyncExternalStore(subscribe, () => store.refused);

  const discard = useCallback((entry: MessageEntry) => store.discard(entry.id), [store]);
  const again = useCallback(
    (entry: MessageEntry) => {
      store.discard(entry.id);
      store.send(entry.text);
    },
    [store],
  );
  const reload = useCallback(() => void store.reload(), [store]);

  return (
    <>
      <div className="conversation-frame">
        {refused && (
          <div className="refused" role="alert">
            <p>{refused.message}</p>
            <button type="button" className="button small" onClick={reload}>
              Try again
            </button>
          </div>
        )}
        <MessageList
          room={store.slug}
          me={me}
          log={log}
          onAgain={again}
          onDiscard={discard}
          onReload={reload}
          empty={empty}
        />
      </div>
      <Composer
        room={store.slug}
        draft={draft}
        onDraft={(text) => store.write(text)}
        onSend={(text) => store.send(text)}
      />
    </>
  );
}
