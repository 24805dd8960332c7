/** State by name: copying it out of parameters, and putting it back all at once or not at all. */

import { ArgumentError, isValue, ShapeError, type Value, value } from "@adjoint/core";
import { formatShape, sameShape } from "@adjoint/core/operations";

/** How many names an error lists before it only counts. */
const LISTED = 4;

/** Copies of named values, as constants. */
export function snapshot(entries: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries(
    Array.from(entries, ([name, x]) => [name, value(x.data, { shape: x.shape, dtype: x.dtype })]),
  );
}

/** Checks names and shapes of `state` against `entries`; nothing is assigned. */
export function checkState(
  where: string,
  entries: ReadonlyMap<string, Value>,
  state: Readonly<Record<string, Value>>,
  strict: boolean,
): void {
  if (typeof state !== "object" || state === null || isValue(state)) {
    throw new ArgumentError({ where, expected: "state must be an object of values by name" });
  }
  const missing = [...entries.keys()].filter((name) => !Object.hasOwn(state, name));
  const unexpected = Object.keys(state).filter((name) => !entries.has(name));
  if (strict && missing.length + unexpected.length > 0) {
    const parts = [
      ...(missing.length > 0 ? [`missing ${list(missing)}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${list(unexpected)}`] : []),
    ];
    throw new ArgumentError({
      where,
      expected: "state must have the same names",
      received: parts.join("; "),
    });
  }
  for (const [name, x] of entries) {
    if (!Object.hasOwn(state, name)) continue;
    const next = state[name];
    if (!isValue(next)) {
      throw new ArgumentError({
        where,
        expected: `${JSON.stringify(name)} must be a value`,
        received: next === null ? "null" : typeof next,
      });
    }
    if (!sameShape(next.shape, x.shape)) {
      throw new ShapeError({
        where,
        expected: `${JSON.stringify(name)} must have shape ${formatShape(x.shape)}`,
        received: formatShape(next.shape),
      });
    }
  }
}

/** Assigns what `checkState` has passed. */
export function restore(entries: ReadonlyMap<string, Value>, state: Readonly<Record<string, Value>>): void {
  for (const [name, x] of entries) if (Object.hasOwn(state, name)) x.assign(state[name] as Value);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map((name) => JSON.stringify(name));
  if (names.length > LISTED) shown.push(`${names.length - LISTED} more`);
  return shown.join(", ");
}
