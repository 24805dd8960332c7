/** Looks columns up by name. */

import { ArgumentError } from "@adjoint/core";
import { editDistance } from "@adjoint/core/operations";

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
    const d = editDistance(wanted, candidate.trim().toLowerCase());
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
