// Detects whether the user is active: idle means no pointer or keyboard input for a while. The server decides what
// follows from that.

const SIGNS = ["pointermove", "pointerdown", "keydown", "focus"];
const FIVE_MINUTES = 300_000;

/** Reports when the user has been idle for `after` ms, and when the user is active again. Returns a function that stops it. */
export function detectIdle(
  after: number | false = FIVE_MINUTES,
  tell: (idle: boolean) => void,
): (() => void) | undefined {
  // Without a page there is no input.
  if (after === false || typeof document === "undefined") return undefined;
  let last = Date.now();
  let idle = false;
  let timer: ReturnType<typeof setTimeout>;
  const say = (now: boolean) => {
    if (now !== idle) tell(now);
    idle = now;
  };
  // The clock is checked when the time is over, instead of restarting a timer for each keystroke.
  const look = () => {
    clearTimeout(timer);
    const left = last + after - Date.now();
    if (left > 0) timer = setTimeout(look, left);
    say(left <= 0);
  };
  const sign = () => {
    last = Date.now();
    if (idle) look();
  };
  for (const name of SIGNS) addEventListener(name, sign, { capture: true, passive: true });
  look();
  return () => {
    clearTimeout(timer);
    for (const name of SIGNS) removeEventListener(name, sign, true);
  };
}
