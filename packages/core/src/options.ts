/** Options objects: a name that is not known is refused, with the one that was probably meant. */

import { ArgumentError, describe } from "./errors.ts";

/** The names of a type of options, all of them. */
export type OptionNames<O> = { readonly [K in keyof Required<O>]: true };

/**
 * Checks that options have no other names than those given, which JavaScript would ignore; returns them.
 *
 * @example
 * const given: { learningRate?: number } = JSON.parse('{ "lr": 1 }');
 * checkOptions("Adam", given, { learningRate: true }) // throws ArgumentError: Adam: options must be among learningRate, got lr. Did you mean learningRate?
 */
export function checkOptions<O extends object>(where: string, options: O, names: OptionNames<NoInfer<O>>): O {
  if (typeof options !== "object" || options === null) throw noOptions(where, options, names);
  for (const name in options) if (names[name] !== true) throw unknownOption(where, options, name, names);
  return options;
}

function noOptions(where: string, received: unknown, names: object): ArgumentError {
  return new ArgumentError({
    where,
    expected: `options must be an object with names among ${Object.keys(names).join(", ")}`,
    received: describe(received),
  });
}

function unknownOption(where: string, options: object, name: string, names: object): ArgumentError {
  const prototype = Object.getPrototypeOf(options);
  if (prototype !== Object.prototype && prototype !== null) return noOptions(where, options, names);
  const meant = meantBy(name, Object.keys(names));
  return new ArgumentError({
    where,
    expected: `options must be among ${Object.keys(names).join(", ")}`,
    received: name,
    ...(meant === undefined ? {} : { advice: `Did you mean ${meant}?` }),
  });
}

/** The known name that another one was probably meant to be: by its letters, its initials, its beginning or a slip. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const plain = (x: string) => x.replaceAll(/[_-]/g, "").toLowerCase();
  const initials = (x: string) => x.replaceAll(/(?!^)[^A-Z]/g, "").toLowerCase();
  const given = plain(name);
  const ways: ((x: string) => boolean)[] = [
    (x) => plain(x) === given,
    (x) => initials(x) === given,
    (x) => given.length > 1 && (plain(x).startsWith(given) || given.startsWith(plain(x))),
    (x) => editDistance(plain(x), given) <= 2 && given.length > 2,
  ];
  for (const way of ways) {
    const found = known.find(way);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How many letters must be inserted, dropped or replaced to make `b` of `a` (Levenshtein's distance). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
