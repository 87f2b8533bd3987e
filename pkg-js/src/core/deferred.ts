// A promise together with the functions that settle it. (`Promise.withResolvers` is too recent for the supported browsers.)

export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: Error): void;
}

export function defer<Value>(): Deferred<Value> {
  let resolve!: Deferred<Value>["resolve"];
  let reject!: Deferred<Value>["reject"];
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Keeps a rejection from being reported as unhandled, because the application is notified in another way. */
export function quiet(promise: Promise<unknown>): void {
  promise.catch(() => {});
}
