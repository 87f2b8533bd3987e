// The board of the server, followed for as long as it is shown.

import { useEffect, useState } from "react";
import { useMessenger } from "../messenger/context";
import type { Off } from "../messenger/messengerApi";
import { BOARD, type Board, type BoardEntry, boardAfter, EMPTY_BOARD } from "./board";

/** What of a channel the board needs. */
export interface BoardChannel {
  on(event: "event", listener: (entry: BoardEntry & { readonly offset: number }) => void): Off;
  on(event: "subscribed", listener: (subscribed: { readonly head: number }) => void): Off;
  subscribe(options: { recent: number }): Promise<unknown>;
  unsubscribe(): Promise<void>;
}

/** How many of the latest entries the board is made of at first. */
const RECENT = 200;

export function useBoard(): { board: Board; ready: boolean; refused: string | undefined } {
  const client = useMessenger() as unknown as { channel(name: string): BoardChannel };
  const [board, setBoard] = useState(EMPTY_BOARD);
  const [ready, setReady] = useState(false);
  const [refused, setRefused] = useState<string>();
  useEffect(() => {
    let here = true;
    const channel = client.channel(BOARD);
    setBoard(EMPTY_BOARD);
    let head: number | undefined;
    const offs = [
      channel.on("subscribed", (subscribed) => {
        head ??= subscribed.head;
      }),
      channel.on("event", (entry) => {
        const live = head !== undefined && entry.offset > head;
        setBoard((before) => boardAfter(before, entry, live));
      }),
    ];
    channel.subscribe({ recent: RECENT }).then(
      () => here && setReady(true),
      (error: unknown) => here && setRefused(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      here = false;
      for (const off of offs) off();
      void channel.unsubscribe();
    };
  }, [client]);
  return { board, ready, refused };
}
