// Programs of the system that some tests need: where they are, and what is said when they are not.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Administrators' directories are not on everybody's path. */
const DIRECTORIES = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

/** The path of a program: from the variable of its name, on the path, or where administrators have it. */
export function findProgram(name: string): string | undefined {
  const named = process.env[name.toUpperCase()];
  if (named) return named;
  const directories = [...(process.env.PATH ?? "").split(delimiter), ...DIRECTORIES];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
