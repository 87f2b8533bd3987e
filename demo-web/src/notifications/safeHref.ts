// Where a notification may lead: to a page of this demo, or to the web. Nothing else becomes a link.

export function safeHref(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (url.startsWith("#/")) return url;
  if (!URL.canParse(url)) return undefined;
  const { protocol, href, username } = new URL(url);
  return (protocol === "https:" || protocol === "http:") && username === "" ? href : undefined;
}
