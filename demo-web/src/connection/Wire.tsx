// The logo: two ends and a wire that shows the state of the connection. Solid for WebSocket, dashed for polling, broken
// without a connection. Decorative: the text beside it says the same.

export type WireStatus = "idle" | "connecting" | "websocket" | "polling" | "waiting" | "offline" | "closed";

export function Wire({ status }: { status: WireStatus }) {
  return (
    <svg className="wire" data-wire={status} viewBox="4 2 56 12" aria-hidden="true" focusable="false">
      <circle className="wire-end" cx="8" cy="8" r="4" />
      <circle className="wire-end" cx="56" cy="8" r="4" />
      {strokes(status)}
    </svg>
  );
}

function strokes(status: WireStatus) {
  switch (status) {
    case "idle":
    case "websocket":
      return <path className="wire-line" d="M12 8h40" />;
    case "polling":
      return <path className="wire-line wire-dashed" d="M14 8h36" />;
    case "connecting":
      return <path className="wire-line wire-moving" d="M12 8h40" />;
    default:
      return (
        <>
          <path className="wire-line" d="M12 8h11q4 0 6 4" />
          <path className="wire-line" d="M52 8H41q-4 0-6-4" />
        </>
      );
  }
}
