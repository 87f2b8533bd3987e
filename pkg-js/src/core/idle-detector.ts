// Whether somebody is at this page: no pointer and no key for a while means that nobody is. What follows from that is
// the server's decision.

const SIGNS = ["pointermove", "pointerdown", "keydown", "focus"];
const FIVE_MINUTES = 300_000;

/** Tells when nobody has been here for `after` ms, and when somebody is again. Returns what ends the watch. */
export function detectIdle(
  after: number | false = FIVE_MINUTES,
  tell: (idle: boolean) => void,
): (() => void) | undefined {
  // Without a page there is nobody to wait for.
  if (after === false || typeof document === "undefined") return undefined;
  let last = Date.now();
  let idle = false;
  let timer: ReturnType<typeof setTimeout>;
  const say = (now: boolean) => {
    if (now !== idle) tell(now);
    idle = now;
  };
  // The clock is looked at when the time is over, not set anew for each key.
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
