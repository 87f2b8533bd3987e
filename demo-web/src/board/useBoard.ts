// The state of the board, updated while it is mounted.

import { useEffect, useState } from "react";
import { useMessenger } from "../messenger/context";
import { BOARD, type Board, boardAfter, EMPTY_BOARD } from "./board";

/** How many recent entries the board initially loads. */
const RECENT = 200;

export function useBoard(): { board: Board; ready: boolean; refused: string | undefined } {
  const client = useMessenger();
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
