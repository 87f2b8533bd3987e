// Which URLs of notifications become links: pages of this demo, and http and https URLs.

export function safeHref(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (url.startsWith("#/")) return url;
  if (!URL.canParse(url)) return undefined;
  const { protocol, href, username } = new URL(url);
  return (protocol === "https:" || protocol === "http:") && username === "" ? href : undefined;
}
