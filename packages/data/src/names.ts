/** Looks columns up by name. */

import { ArgumentError } from "@adjoint/core";

/** Number of insertions, deletions and substitutions between two strings (Levenshtein's distance). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    above = row;
  }
  return above[b.length] as number;
}

/** The column of that name; the error for one that is not there lists them all, and the one that was probably meant. */
export function findColumn<C extends { readonly name: string }>(
  where: string,
  columns: readonly C[],
  name: string,
): C {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const wanted = name.trim().toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const { name: candidate } of columns) {
    const d = distance(wanted, candidate.trim().toLowerCase());
    if (d < least) [nearest, least] = [candidate, d];
  }
  const list = columns.map((column) => JSON.stringify(column.name)).join(", ");
  throw new ArgumentError({
    where,
    expected: `column must be one of ${list || "none, since the table is empty"}`,
    received: JSON.stringify(name),
    ...(nearest === undefined ? {} : { advice: `Did you mean ${JSON.stringify(nearest)}?` }),
  });
}
