// A grammar in ABNF (RFC 5234, RFC 7405) as regular expressions: what the protocol's appendix A uses of it. Rules that refer to
// themselves are beyond it.

const BASE: Readonly<Record<string, string>> = { ALPHA: "[A-Za-z]", DIGIT: "[0-9]" };

/** What a rule consists of: a quoted text, a code point or a range of them, a repetition, a name, or a sign. */
const TOKEN =
  /%s"(?<exact>[^"]*)"|"(?<sign>[^"A-Za-z]*)"|%x(?<from>[0-9A-F]+)(?:-(?<to>[0-9A-F]+))?|(?<least>\d*)\*(?<most>\d*)|(?<times>\d+)|(?<name>[A-Za-z][\w-]*)|[/()[\]]/g;

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A line without its comment. A semicolon may be quoted. */
const commentless = (line: string) => line.replace(/^((?:[^";]|"[^"]*")*);.*$/, "$1").trim();

/** The rules of a grammar: whether a text matches the one of this name. */
export function grammarOf(abnf: string): (rule: string, text: string) => boolean {
  const patterns = new Map<string, string>(Object.entries(BASE));
  const rules = new Map<string, string>();
  for (const line of abnf.split("\n").map(commentless)) {
    const [, name, body] = /^([a-z][\w-]*) += (.+)$/.exec(line) ?? [];
    if (name !== undefined && body !== undefined) rules.set(name, body);
    else if (line !== "") throw new Error(`not a rule: ${line}`);
  }
  const patternOf = (name: string): string => {
    const known = patterns.get(name);
    if (known !== undefined) return known;
    const body = rules.get(name);
    if (body === undefined) throw new Error(`there is no rule ${name}`);
    const pattern = `(?:${translate(body, patternOf)})`;
    patterns.set(name, pattern);
    return pattern;
  };
  for (const name of rules.keys()) patternOf(name);
  return (rule, text) => new RegExp(`^${patternOf(rule)}$`, "u").test(text);
}

function translate(body: string, patternOf: (name: string) => string): string {
  const left = body.replaceAll(TOKEN, "").trim();
  if (left !== "") throw new Error(`not understood: ${left}`);
  let pattern = "";
  /** The repetition that was read, for the next element; and those of the groups that are open. */
  let repeat = "";
  const open: string[] = [];
  for (const { 0: token, groups = {} } of body.matchAll(TOKEN)) {
    const { exact, sign, from, to, least, most, times, name } = groups;
    if (least !== undefined) repeat = `{${least || 0},${most}}`;
    else if (times !== undefined) repeat = `{${times}}`;
    else if (token === "/") pattern += "|";
    else if (token === "(" || token === "[") {
      open.push(token === "(" ? repeat : "?");
      pattern += "(?:";
      repeat = "";
    } else if (token === ")" || token === "]") pattern += `)${open.pop()}`;
    else {
      let element = name === undefined ? escaped(exact ?? sign ?? "") : patternOf(name);
      if (from !== undefined) element = to ? `[\\u{${from}}-\\u{${to}}]` : `\\u{${from}}`;
      pattern += `(?:${element})${repeat}`;
      repeat = "";
    }
  }
  return pattern;
}
