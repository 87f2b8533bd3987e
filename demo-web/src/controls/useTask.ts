// Something that is asked of the server: whether it is under way, and why it failed, in words for a person.

import { EverwireError } from "everwire";
import { useCallback, useState } from "react";

export interface Task {
  readonly busy: boolean;
  readonly failed: string | undefined;
  /** Runs it; whether it went well. */
  run(work: () => PromiseLike<unknown>): Promise<boolean>;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string>();
  const run = useCallback(async (work: () => PromiseLike<unknown>) => {
    setBusy(true);
    setFailed(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setFailed(error instanceof EverwireError || error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { busy, failed, run };
}
