/** The results that examples show in comments: reading them, and holding values to them. */

/** A number stands for every number within `slack` of it: none when all digits are shown. */
type Shown =
  | { readonly kind: "number"; readonly value: number; readonly slack: number }
  | { readonly kind: "literal"; readonly value: string | boolean | null | undefined }
  | { readonly kind: "array"; readonly items: readonly Shown[]; readonly open: boolean }
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, Shown>; readonly open: boolean };

const literals = new Map<string, Shown>([
  ["true", { kind: "literal", value: true }],
  ["false", { kind: "literal", value: false }],
  ["null", { kind: "literal", value: null }],
  ["undefined", { kind: "literal", value: undefined }],
  ["NaN", { kind: "number", value: Number.NaN, slack: 0 }],
  ["Infinity", { kind: "number", value: Number.POSITIVE_INFINITY, slack: 0 }],
  ["-Infinity", { kind: "number", value: Number.NEGATIVE_INFINITY, slack: 0 }],
]);

/** Whether a comment shows a result rather than prose: it starts as a literal does. */
export function looksLikeResult(comment: string): boolean {
  return /^\s*([~≈]\s*)?(-?\.?\d|[[{"'`]|-?(true|false|null|undefined|NaN|Infinity)\b)/.test(comment);
}

/**
 * Reads a shown result: a JavaScript literal in which numbers may be given to a few digits.
 *
 * `0.761…` stands for any number that is cut off or rounded to these digits; `~0.76`, or `~` before a whole
 * array, for any that rounds to them. `…` as an array's or object's last item stands for whatever follows.
 *
 * @example
 * parseShown("[1, 2.5]").kind // "array"
 */
export function parseShown(text: string): Shown {
  let at = 0;

  function fail(expected: string): never {
    const rest = text.slice(at, at + 20);
    throw new SyntaxError(`result "${text.trim()}": ${expected} must come next, got "${rest}".`);
  }
  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[0].trim();
  }
  function number(rounded: boolean): Shown | undefined {
    const token = take(/\s*-?(\d[\d_]*)?(\.\d+)?(?<=\d)(…|\.\.\.)?(e[+-]?\d+)?/iy);
    if (token === undefined) return undefined;
    const cut = /…|\.\.\./.test(token);
    const numeral = token.replace(/…|\.\.\.|_/g, "");
    const [digits = "", exponent = "0"] = numeral.split(/e/i);
    const unit = 10 ** (Number(exponent) - (digits.split(".")[1]?.length ?? 0));
    const slack = cut ? unit : rounded ? 0.5 * unit : 0;
    // The rounding error of the comparison itself must not count against the value.
    return { kind: "number", value: Number(numeral), slack: slack * (1 + 1e-9) };
  }
  function string(): string | undefined {
    const token = take(/\s*("(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`(\\.|[^`\\])*`)/y);
    return token
      ?.slice(1, -1)
      .replace(/\\(.)/g, (_, escaped: string) => ({ n: "\n", t: "\t" })[escaped] ?? escaped);
  }
  /** Reads items up to the closing bracket; true when the last of them is an ellipsis. */
  function list(close: RegExp, item: () => void): boolean {
    let open = false;
    while (take(close) === undefined) {
      if (open) fail("a closing bracket");
      open = take(/\s*(…|\.\.\.)/y) !== undefined;
      if (!open) item();
      if (take(/\s*,/y) === undefined) {
        if (take(close) === undefined) fail("a comma or a closing bracket");
        break;
      }
    }
    return open;
  }
  function shown(within: boolean): Shown {
    const rounded = take(/\s*[~≈]/y) !== undefined || within;
    if (take(/\s*\[/y) !== undefined) {
      const items: Shown[] = [];
      const open = list(/\s*\]/y, () => items.push(shown(rounded)));
      return { kind: "array", items, open };
    }
    if (take(/\s*\{/y) !== undefined) {
      const fields = new Map<string, Shown>();
      const open = list(/\s*\}/y, () => {
        const key = string() ?? take(/\s*[\w$]+/y) ?? fail("a key");
        if (take(/\s*:/y) === undefined) fail("a colon");
        fields.set(key, shown(rounded));
      });
      return { kind: "object", fields, open };
    }
    const text = string();
    if (text !== undefined) return { kind: "literal", value: text };
    const word = take(/\s*-?[A-Za-z]+/y);
    if (word !== undefined) return literals.get(word) ?? fail("a literal");
    return number(rounded) ?? fail("a literal");
  }

  const result = shown(false);
  if (text.slice(at).trim() !== "") fail("the end (put prose into a comment of its own)");
  return result;
}

function hasToArray(value: object): value is { toArray(): unknown } {
  return "toArray" in value && typeof value.toArray === "function";
}

/** A value as plain data: what has `.toArray()` is read with it, typed arrays become arrays. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (hasToArray(value)) return plain(value.toArray());
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>);
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, field]) => [String(key), plain(field)]));
}

/** Plain data as the text that an example would show. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${key}: ${show(field)}`);
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  return Object.is(value, -0) ? "-0" : String(value);
}

function agrees(actual: unknown, shown: Shown): boolean {
  switch (shown.kind) {
    case "literal":
      return actual === shown.value;
    case "number":
      if (typeof actual !== "number") return false;
      if (shown.slack > 0) return Math.abs(actual - shown.value) <= shown.slack;
      return actual === shown.value || (Number.isNaN(actual) && Number.isNaN(shown.value));
    case "array":
      if (!Array.isArray(actual) || actual.length < shown.items.length) return false;
      if (!shown.open && actual.length !== shown.items.length) return false;
      return shown.items.every((item, index) => agrees(actual[index], item));
    case "object": {
      if (typeof actual !== "object" || actual === null || Array.isArray(actual)) return false;
      const fields = new Map<string, unknown>(Object.entries(actual));
      if (!shown.open && fields.size !== shown.fields.size) return false;
      return [...shown.fields].every(([key, field]) => fields.has(key) && agrees(fields.get(key), field));
    }
  }
}

/** Throws unless a value is what its example shows; `where` is the example's file and line. */
export function expectShown(actual: unknown, text: string, where: string): void {
  const data = plain(actual);
  if (!agrees(data, parseShown(text))) {
    throw new Error(`${where}: the example shows ${text.trim()}, got ${show(data)}.`);
  }
}

/** Throws unless an expression throws, or rejects, with an error whose text holds the one that is shown. */
export async function expectThrown(run: () => unknown, text: string, where: string): Promise<void> {
  let received: string;
  try {
    received = `the value ${show(plain(await run()))}`;
  } catch (error) {
    received = String(error);
    if (received.includes(text.trim())) return;
  }
  throw new Error(`${where}: the example throws "${text.trim()}", got ${received}.`);
}
