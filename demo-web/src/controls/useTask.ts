// An asynchronous action: whether it is pending, and the error message if it failed.

import { EverwireError } from "everwire";
import { useCallback, useState } from "react";

export interface Task {
  readonly busy: boolean;
  readonly failed: string | undefined;
  /** Runs the action; resolves to whether it succeeded. */
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
