/** Comparing nested results with what is expected of them. */

/**
 * Where an output first differs from what is expected, or null: keys, lengths and kinds must be equal, and numbers within
 * a relative error, where rounding errors of an `absolute` size are let pass.
 */
export function firstDifference(
  got: unknown,
  expected: unknown,
  { relative, absolute = 0 }: { readonly relative: number; readonly absolute?: number },
  path = "output",
): string | null {
  if (typeof expected === "number") {
    const isNear =
      typeof got === "number" && Math.abs(got - expected) <= relative * Math.abs(expected) + absolute;
    return isNear ? null : `${path}: ${JSON.stringify(got)} for ${expected}`;
  }
  const entries = Object.entries(expected as object);
  if (typeof got !== "object" || got === null || Array.isArray(got) !== Array.isArray(expected))
    return `${path}: ${JSON.stringify(got)} for ${JSON.stringify(expected)}`;
  const keys = Object.keys(got);
  if (keys.length !== entries.length || !entries.every(([key]) => Object.hasOwn(got, key)))
    return `${path}: keys ${keys} for ${entries.map(([key]) => key)}`;
  for (const [key, entry] of entries) {
    const inner = (got as Record<string, unknown>)[key];
    const difference = firstDifference(inner, entry, { relative, absolute }, `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}
