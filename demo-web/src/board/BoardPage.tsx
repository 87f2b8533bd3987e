// The live board: the same connection without a chat. Orders, systems and what people do, published by a back end through the
// HTTP API; and a panel to be that back end.

import { BackIcon } from "../app/icons";
import { HREF_OF_CHATS } from "../app/route";
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
            <BackIcon />
          </a>
        )}
        <div className="page-title">
          <h1>Live board</h1>
          <p className="quiet">A shop’s back end publishes, and whoever looks sees it at once.</p>
        </div>
        {tools}
      </header>
      {connection}
      <div className="board" data-testid="board" data-ready={ready}>
        {refused && (
          <p className="refused" role="alert">
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
