// The state of the board, updated while it is mounted.

import { useEffect, useState } from "react";
import { useMessenger } from "../messenger/context";
import type { Unsubscribe } from "../messenger/messengerApi";
import { BOARD, type Board, type BoardEntry, boardAfter, EMPTY_BOARD } from "./board";

/** The parts of a channel that the board uses. */
export interface BoardChannel {
  on(event: "event", listener: (entry: BoardEntry & { readonly offset: number }) => void): Unsubscribe;
  on(event: "subscribed", listener: (subscribed: { readonly head: number }) => void): Unsubscribe;
  subscribe(options: { recent: number }): Promise<unknown>;
  unsubscribe(): Promise<void>;
}

/** How many recent entries the board initially loads. */
const RECENT = 200;

export function useBoard(): { board: Board; ready: boolean; refused: string | undefined } {
  const client = useMessenger() as unknown as { channel(name: string): BoardChannel };
  const [board, setBoard] = useState(EMPTY_BOARD);
  const [ready, setReady] = useState(false);
  const [refused, setRefused] = useState<string>();
  useEffect(() => {
    let mounted = true;
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
      () => mounted && setReady(true),
      (error: unknown) => mounted && setRefused(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      mounted = false;
      for (const off of offs) off();
      void channel.unsubscribe();
    };
  }, [client]);
  return { board, ready, refused };
}
