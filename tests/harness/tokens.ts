// JSON Web Tokens signed with HS256, as an application's back end would create them.

import { createHmac } from "node:crypto";

export const SECRET = "a secret that only this test knows";

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token for a user. */
export function makeToken(
  user: string,
  {
    validForS = 3600,
    grants = [],
    secret = SECRET,
  }: { validForS?: number; grants?: string[]; secret?: string } = {},
): string {
  const exp = Math.floor(Date.now() / 1000) + validForS;
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ sub: user, name: user, exp, grants })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
