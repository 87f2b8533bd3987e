// A promise together with what settles it. (`Promise.withResolvers` is too young for the browsers that we support.)

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

/** Keeps a rejection from being reported as unhandled: the application learns of it, or knows of it, in another way. */
export function quiet(promise: Promise<unknown>): void {
  promise.catch(() => {});
}
