// The requirements of the protocol, read from its text: each with its number, its class and its words. Whatever has to do
// with them by number (dialogues, reports) takes them from here, so that the text is the only list.

import { DOCUMENTS, readDocument } from "./documents";

/** Who has to meet a requirement: a server, a client, or both. */
export type RequirementClass = "S" | "C" | "CS";

export interface Requirement {
  /** Such as `EW-5-21`. */
  readonly number: string;
  readonly section: number;
  /** Its number within the section. */
  readonly place: number;
  readonly class: RequirementClass;
  /** Its words without markup; of a row in a table the cells, separated by ` | `. */
  readonly text: string;
  readonly document: string;
  /** The line where it begins, counted from 1. */
  readonly line: number;
  /** The heading that it stands under, such as `5.2`. */
  readonly heading: string;
}

/** The files of the specification: the core, then the profiles. */
export const SPECIFICATION: readonly string[] = DOCUMENTS.filter((path) =>
  /^docs\/protocol(\/\w+)?\.md$/.test(path),
).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));

const HEADING = /^##+ (\d+(?:\.\d+)?)\.? /;
const ITEM = /^\* \*\*(EW-(\d+)-(\d+))\*\* \[(S|C|CS)\] (.+)$/;
const ROW = /^\| \*\*(EW-(\d+)-(\d+))\*\* \[(S|C|CS)\] \| (.+) \|$/;

/** All requirements, in the order of the text. */
export function readRequirements(): Requirement[] {
  return SPECIFICATION.flatMap((document) => requirementsOf(document, readDocument(document)));
}

/** The requirements of one document. */
export function requirementsOf(document: string, text: string): Requirement[] {
  const lines = text.split("\n");
  const found: Requirement[] = [];
  let heading = "";
  for (const [at, line] of lines.entries()) {
    heading = HEADING.exec(line)?.[1] ?? heading;
    const [, number, section, place, type, words] = ITEM.exec(line) ?? ROW.exec(line) ?? [];
    if (number === undefined || words === undefined) continue;
    let whole = words;
    for (let next = at + 1; line.startsWith("*") && /^ {2}\S/.test(lines[next] ?? ""); next++) {
      whole += ` ${lines[next]?.trim()}`;
    }
    found.push({
      number,
      section: Number(section),
      place: Number(place),
      class: type as RequirementClass,
      text: whole,
      document,
      line: at + 1,
      heading,
    });
  }
  return found;
}
