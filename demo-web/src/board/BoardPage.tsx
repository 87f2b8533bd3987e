// The live board: the same connection used without a chat. A back end publishes orders, system status and activities
// through the HTTP API; a panel lets the visitor play the back end.

import { ChevronLeftIcon } from "lucide-react";
import { HREF_OF_CHATS } from "../page/route";
import { useNow } from "../people/useNow";
import { Feed } from "./Feed";
import { OperatorPanel } from "./OperatorPanel";
import { Orders } from "./Orders";
import { Systems } from "./Systems";
import { useBoard } from "./useBoard";

interface Props {
  me: string;
  wide: boolean;
  tools: React.ReactNode;
  connection: React.ReactNode;
}

export function BoardPage({ me, wide, tools, connection }: Props) {
  const { board, ready, refused } = useBoard();
  const now = useNow();
  return (
    <>
      <header className="page-head">
        {!wide && (
          <a className="icon-button" href={HREF_OF_CHATS} aria-label="All chats">
            <ChevronLeftIcon />
          </a>
        )}
        <div className="page-title">
          <h1>Live board</h1>
          <p className="muted">
            A shop’s back end publishes events, and everyone who is watching sees them at once.
          </p>
        </div>
        {tools}
      </header>
      {connection}
      <div className="board" data-testid="board" data-ready={ready}>
        {refused && (
          <p className="error" role="alert">
            {refused}
          </p>
        )}
        <Orders orders={board.orders} ready={ready} />
        <Systems systems={board.systems} now={now} ready={ready} />
        <Feed feed={board.feed} now={now} ready={ready} />
        <OperatorPanel board={board} me={me} />
      </div>
    </>
  );
}
