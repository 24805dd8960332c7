/** detectAnomaly: finds the operation that first made a number that is not finite. */

import { isFloat } from "../dtype.ts";
import { AdjointError } from "../errors.ts";
import { formatShape, stridesOf } from "../shape.ts";
import { setInspector, state } from "../state.ts";
import type { Value } from "../value.ts";

/** A number that is not finite, where it was first made. */
export class AnomalyError extends AdjointError {}

/** This library's own frames in a stack: its folder, and functions that it generated. */
const OWN = (import.meta as unknown as { readonly url: string }).url
  .replace(/^file:\/\//, "")
  .replace(/transforms\/[^/]*$/, "");

/** The innermost line of a stack that is the user's. */
function userLine(stack: string | undefined): string | null {
  const frames = (stack ?? "").split("\n").slice(1);
  const frame = frames.find((line) => !line.includes(OWN) && !/eval at|<anonymous>|node:internal/.test(line));
  return frame === undefined
    ? null
    : frame
        .trim()
        .replace(/^at /, "")
        .replace(/^.*\((.*)\)$/, "$1");
}

/** The first element of a value that is not finite, as text, or null. */
function firstNonFinite(x: Value): string | null {
  if (x.storage === null || !isFloat(x.dtype)) return null;
  const { data, shape } = x;
  const at = data.findIndex((n: number) => !Number.isFinite(n));
  if (at < 0) return null;
  const index = stridesOf(shape).map((stride, i) => Math.floor(at / stride) % (shape[i] as number));
  return shape.length === 0 ? String(data[at]) : `${data[at]} at [${index.join(", ")}]`;
}

function describeOperand(x: Value): string {
  const name =
    x.label === null ? (x.op?.name ?? (x.isParameter ? "parameter" : "constant")) : JSON.stringify(x.label);
  const size = x.rank === 0 ? ` ${x.data[0]}` : ` ${formatShape(x.shape)}`;
  return `${name}${size}`;
}

/**
 * Runs `f`, and throws at the first operation in it, forward or in a sweep, that makes a NaN or an infinity of finite
 * operands. The error names the operation, its operands and labels, and the line of the caller's code.
 *
 * Slow: every result is looked at. What was computed before is not watched.
 *
 * @example
 * detectAnomaly(() => log(mul(0, 2))) // throws AnomalyError: log: a finite result of finite operands, got -Infinity
 */
export function detectAnomaly<R>(f: () => R): R {
  const origins = new WeakMap<Value, string>();
  const before = setInspector((node, inputs) => {
    const line =
      state.sweeping === null ? userLine(new Error().stack) : (origins.get(state.sweeping) ?? null);
    if (line !== null) origins.set(node, line);
    const found = firstNonFinite(node);
    if (found === null || inputs.some((x) => firstNonFinite(x) !== null)) return;
    const swept = state.sweeping;
    const call = (x: Value, xs: readonly Value[]) => `${x.op?.name}(${xs.map(describeOperand).join(", ")})`;
    const label = (swept ?? node).label;
    throw new AnomalyError({
      where: swept === null ? `${node.op?.name}` : `gradient of ${swept.op?.name}`,
      expected: "a finite result of finite operands",
      received: [
        `${found} from ${swept === null ? call(node, inputs) : `${call(node, inputs)} for ${call(swept, swept.inputs)}`}`,
        ...(label === null ? [] : [`labelled ${JSON.stringify(label)}`]),
        ...(line === null ? [] : [`called at ${line}`]),
      ].join(", "),
    });
  });
  try {
    return f();
  } finally {
    setInspector(before);
  }
}
