/** Control flow over values: cond, whileLoop, foriLoop, scan. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import { operand } from "../op.ts";
import { where } from "../ops/elementwise.ts";
import { stack } from "../ops/joining.ts";
import { slice } from "../ops/slicing.ts";
import { formatShape, sameShape } from "../shape.ts";
import { current, isValue, type Operand, state, type TensorType, type Value } from "../value.ts";
import { revolve, type Step } from "./checkpoint.ts";
import { opaque } from "./opaque.ts";
import { flatten, type TreeInput, type ValueTree } from "./tree.ts";

/** A condition's truth, or null where its data is not known. */
function truth(where: string, condition: Operand | boolean): boolean | null {
  const x = current(operand(where, condition));
  if (x.size !== 1) {
    throw new ShapeError({
      where,
      expected: "the condition must be a scalar",
      received: `shape [${x.shape.join(", ")}]`,
    });
  }
  return x.storage === null ? null : x.data[0] !== 0;
}

/**
 * `whenTrue(...args)` where the condition holds, `whenFalse(...args)` elsewhere; only the one is run.
 *
 * While a function is captured and the condition is not known, both are run and `where` selects, so both must return
 * one structure; what they assign to parameters while a function is compiled is selected as well.
 *
 * @example
 * cond(gt(2, 1), (x) => mul(x, 10), (x) => neg(x), 3) // 30
 */
export function cond<A extends readonly Operand[], R>(
  condition: Operand,
  whenTrue: (...args: { [I in keyof A]: Value }) => R,
  whenFalse: (...args: { [I in keyof A]: Value }) => R,
  ...args: A
): R {
  const values = args.map((x) => operand("cond", x)) as { [I in keyof A]: Value };
  const holds = truth("cond", condition);
  if (holds !== null) return holds ? whenTrue(...values) : whenFalse(...values);
  const both = [() => whenTrue(...values), () => whenFalse(...values)] as const;
  const [onTrue, onFalse] =
    state.tracer === null ? [both[0](), both[1]()] : state.tracer.choose(operand("cond", condition), ...both);
  if (onTrue === undefined && onFalse === undefined) return onTrue;
  const a = flatten("cond", onTrue);
  const b = flatten("cond", onFalse);
  if (a.leaves.length !== b.leaves.length) {
    throw new ArgumentError({
      where: "cond",
      expected: "both branches must return one structure",
      received: `${a.leaves.length} and ${b.leaves.length} values`,
    });
  }
  return a.rebuild(a.leaves.map((x, i) => where(condition, x, b.leaves[i] as Value))) as R;
}

/** A structure with values at its leaves. */
function valuesOf<T>(where: string, tree: unknown): T {
  const { leaves, rebuild } = flatten(where, tree);
  return rebuild(leaves) as T;
}

/**
 * Applies `body` to a structure of values while `condition` holds of it.
 *
 * Differentiates in both modes, however often it runs. While a function is captured and the condition is not known, the
 * loop is one operation of the graph; body must then keep shapes and dtypes, and derivatives run the loop again.
 * Throws: ShapeError for a condition that is no scalar, or a body that changes a captured loop's types.
 *
 * @example
 * whileLoop((x) => lt(x, 100), (x) => mul(x, 3), 1) // 243
 */
export function whileLoop<I>(
  condition: (carry: ValueTree<I>) => Operand,
  body: (carry: ValueTree<I>) => TreeInput<ValueTree<I>>,
  initial: I,
): ValueTree<I> {
  const { leaves, rebuild } = flatten("whileLoop", initial);
  const holdsOf = (xs: readonly Value[]) => truth("whileLoop", condition(rebuild(xs) as ValueTree<I>));
  const next = (xs: readonly Value[]) => flatten("whileLoop", body(rebuild(xs) as ValueTree<I>)).leaves;
  let carry: readonly Value[] = leaves;
  for (;;) {
    const holds = holdsOf(carry);
    if (holds === null)
      return rebuild(capturedLoop(condition as never, next, rebuild, carry)) as ValueTree<I>;
    if (!holds) return rebuild(carry) as ValueTree<I>;
    carry = next(carry);
  }
}

/** A loop as one operation: its condition and body captured, what they read from outside among its inputs. */
function capturedLoop(
  condition: (carry: unknown) => Operand,
  next: (xs: readonly Value[]) => readonly Value[],
  rebuild: (xs: readonly Value[]) => unknown,
  carry: readonly Value[],
): readonly Value[] {
  const types = carry.map((x) => x.type);
  const test = captureTypes(types, (xs) => [operand("whileLoop", condition(rebuild(xs)))]);
  const step = captureTypes(types, (xs) => {
    const results = next(xs);
    results.forEach((y, i) => {
      const type = types[i] as TensorType;
      if (results.length === types.length && sameShape(y.shape, type.shape) && y.dtype === type.dtype) return;
      throw new ShapeError({
        where: "whileLoop",
        expected: `while a function is captured, body must keep the carry's ${type.dtype} ${formatShape(type.shape)}`,
        received: `${y.dtype} ${formatShape(y.shape)}`,
      });
    });
    return results;
  });
  const outside = [...new Set([...test.outside, ...step.outside])];
  const n = carry.length;
  const [testAll, stepAll] = [test.withInputs(outside), step.withInputs(outside)];
  const loop = opaque(
    "whileLoop",
    (all) => {
      const rest = all.slice(n);
      let xs: readonly Value[] = all.slice(0, n);
      while (truth("whileLoop", testAll.evaluate(...xs, ...rest)[0] as Value))
        xs = stepAll.evaluate(...xs, ...rest);
      return xs;
    },
    types,
  );
  return loop([...carry, ...outside]);
}

/**
 * Applies `body(i, carry)` for i from `start` up to, not including, `end`.
 *
 * @example
 * foriLoop(1, 5, (i, x) => mul(x, i), 1) // 24
 */
export function foriLoop<I>(
  start: number,
  end: number,
  body: (i: number, carry: ValueTree<I>) => TreeInput<ValueTree<I>>,
  initial: I,
): ValueTree<I> {
  let carry = valuesOf<ValueTree<I>>("foriLoop", initial);
  for (let i = start; i < end; i++) carry = valuesOf<ValueTree<I>>("foriLoop", body(i, carry));
  return carry;
}

/** Options of `scan`. */
export interface ScanOptions {
  /** Run from the last entry to the first; outputs keep their entries' places. */
  readonly reverse?: boolean;
  /**
   * Keep at most this many carries for the reverse sweep, and compute the others again: with s of them and r
   * repetitions, C(s + r, s) steps. By default everything is kept. Carry and outputs must be of one floating dtype.
   */
  readonly snapshots?: number;
}

/**
 * Carries a structure through the entries of another along their first axis, and stacks what each step gives.
 *
 * `f(carry, x)` returns `[carry, y]`. Shape: xs' leaves [n, ...] → ys' leaves [n, ...].
 * Throws: ShapeError where leading sizes differ, ArgumentError where xs holds no value or no entry.
 *
 * @example
 * scan((sum, x) => [add(sum, x), mul(x, 10)], 0, value([1, 2, 3])) // [6, [10, 20, 30]]
 */
export function scan<I, X, Y>(
  f: (carry: ValueTree<I>, x: ValueTree<X>) => readonly [carry: TreeInput<ValueTree<I>>, y: Y],
  initial: I,
  xs: X,
  { reverse = false, snapshots }: ScanOptions = {},
): [carry: ValueTree<I>, ys: ValueTree<Y>] {
  const entries = flatten("scan", xs);
  const sizes = new Set(entries.leaves.map((x) => x.shape[0]));
  const [n] = sizes;
  if (sizes.size !== 1 || n === undefined) {
    throw new ShapeError({
      where: "scan",
      expected: "all of xs must have one leading size",
      received:
        entries.leaves.length === 0
          ? "no values"
          : [...sizes].map((size) => size ?? "a scalar").join(" and "),
    });
  }
  if (n === 0) throw new ArgumentError({ where: "scan", expected: "at least one entry", received: "none" });
  if (snapshots !== undefined && !(Number.isInteger(snapshots) && snapshots >= 2)) {
    throw new ArgumentError({
      where: "scan",
      expected: "snapshots must be a whole number ≥ 2",
      received: describe(snapshots),
    });
  }
  const start = flatten("scan", initial);
  let rebuildCarry = start.rebuild;
  let rebuildOut: (leaves: readonly Value[]) => unknown = () => undefined;
  const step: Step = (k, leaves) => {
    const i = reverse ? n - 1 - k : k;
    const result = f(
      rebuildCarry(leaves) as ValueTree<I>,
      entries.rebuild(entries.leaves.map((x) => slice(x, i))) as ValueTree<X>,
    );
    if (!Array.isArray(result) || result.length !== 2 || isValue(result)) {
      throw new ArgumentError({
        where: "scan",
        expected: "f must return [carry, y]",
        received: describe(result),
      });
    }
    const next = flatten("scan", result[0]);
    const out = flatten("scan", result[1]);
    rebuildCarry = next.rebuild;
    rebuildOut = out.rebuild;
    return { carry: next.leaves, out: out.leaves };
  };
  const outs: Value[] = [];
  let carry: readonly Value[] = start.leaves;
  if (snapshots !== undefined) {
    const result = revolve(step, carry, 0, n, snapshots);
    carry = result.carry;
    outs.push(...result.out);
  } else {
    for (let k = 0; k < n; k++) {
      const result = step(k, carry);
      carry = result.carry;
      outs.push(...result.out);
    }
  }
  const width = outs.length / n;
  const ys = Array.from({ length: width }, (_, leaf) => {
    const column = Array.from({ length: n }, (_, k) => outs[k * width + leaf] as Value);
    return stack(reverse ? column.reverse() : column);
  });
  return [rebuildCarry(carry) as ValueTree<I>, rebuildOut(ys) as ValueTree<Y>];
}
