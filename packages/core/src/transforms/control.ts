/** Control flow over values: cond, whileLoop, foriLoop, scan. Loops where data is known, operations of the graph where not. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { operand } from "../op.ts";
import { flip } from "../ops/arrangement.ts";
import { ne, where } from "../ops/elementwise.ts";
import { concat, stack } from "../ops/joining.ts";
import { reshape } from "../ops/movement.ts";
import { slice } from "../ops/slicing.ts";
import { formatShape } from "../shape.ts";
import { current, state, type Tracer } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { tensorType } from "../tensor-type.ts";
import { constant, isValue, type Operand, type Value } from "../value.ts";
import { capturedCond, capturedScan, capturedWhile, nextLeaves } from "./control/captured.ts";
import { captureLoop } from "./control/carried.ts";
import { type Progress, revolve, type Step } from "./control/revolve.ts";
import { flatten, type TreeInput, type ValueTree } from "./tree.ts";

const isUnknown = (x: Value): boolean => x.storage === null;

/** A condition as a bool scalar. */
function truth(where: string, condition: Operand | boolean): Value {
  const x = current(operand(where, condition));
  if (x.size !== 1) {
    throw new ShapeError({
      where,
      expected: "the condition must be a scalar",
      received: `shape ${formatShape(x.shape)}`,
    });
  }
  const scalar = reshape(x, []);
  return scalar.dtype === "bool" ? scalar : ne(scalar, 0);
}

/**
 * `whenTrue(...args)` where the condition holds, `whenFalse(...args)` elsewhere; only the one is run.
 *
 * While a function is captured and the condition is not known, both are captured, and the choice is an operation of the
 * graph; they must then return one structure of values of the same shapes.
 * Branches that assign to parameters while a function is compiled are both computed, and everything is selected.
 * Throws: ShapeError for a condition that is no scalar, or where the shapes differ; ArgumentError where the structures do.
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
  const values = args.map((x) => operand("cond", x));
  const holds = truth("cond", condition);
  if (!isUnknown(holds)) return (holds.storage === 0 ? whenFalse : whenTrue)(...(values as never));
  const branch = (f: (...xs: never) => R) => (xs: readonly Value[]) => f(...(xs as never));
  const branches = [branch(whenTrue), branch(whenFalse)] as const;
  const selected = state.tracer === null ? null : tracedCond(state.tracer, holds, branches, values);
  return selected === null ? capturedCond(holds, branches, values) : selected.result;
}

/** A choice between branches that change what is outside: both are computed. Null where neither changes anything. */
function tracedCond<R>(
  tracer: Tracer,
  condition: Value,
  [whenTrue, whenFalse]: readonly [(xs: readonly Value[]) => R, (xs: readonly Value[]) => R],
  values: readonly Value[],
): { readonly result: R } | null {
  const { results, changed } = tracer.choose(
    condition,
    () => whenTrue(values),
    () => whenFalse(values),
  );
  if (!changed) return null;
  const [onTrue, onFalse] = results;
  if (onTrue === undefined && onFalse === undefined) return { result: onTrue };
  const a = flatten("cond", onTrue);
  const b = flatten("cond", onFalse);
  if (a.leaves.length !== b.leaves.length) {
    throw new ArgumentError({
      where: "cond",
      expected: "both branches must return one structure",
      received: `${a.leaves.length} and ${b.leaves.length} values`,
    });
  }
  const chosen = a.leaves.map((x, i) => where(condition, x, b.leaves[i] as Value));
  return { result: a.rebuild(chosen) as R };
}

/**
 * Applies `body` to a structure of values while `condition` holds of it.
 *
 * Differentiates in both modes, however often it runs. While a function is captured and the carry or the condition is
 * not known, the loop is one operation of the graph, whose derivatives are loops as well; body must then keep shapes.
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
  let { leaves: carry, paths, rebuild } = flatten("whileLoop", initial, "carry");
  const test = (xs: readonly Value[]) => truth("whileLoop", condition(rebuild(xs) as ValueTree<I>));
  const next = (xs: readonly Value[]) => flatten("whileLoop", body(rebuild(xs) as ValueTree<I>), "carry");
  for (let unrolls = false; ; ) {
    const holds = !unrolls && carry.some(isUnknown) ? null : test(carry);
    if (holds !== null && !isUnknown(holds)) {
      if (holds.storage === 0) return rebuild(carry) as ValueTree<I>;
      ({ leaves: carry, paths, rebuild } = next(carry));
      continue;
    }
    const ended = captureLoop(carry, (loop) => ({
      carry: capturedWhile(
        (xs) => withoutEffects(loop.enter(xs), test),
        (xs) => loop.leave(nextLeaves("whileLoop", next(loop.enter(xs)), paths)),
        loop.initial,
      ),
    }));
    if (ended !== null) return rebuild(ended.carry) as ValueTree<I>;
    if (holds !== null) {
      throw new ArgumentError({
        where: "whileLoop",
        expected:
          "a body after which gradients are there where they were before, where the number of steps depends on data",
        received:
          "one that leaves a gradient where there was none, or takes one away, while a function is compiled",
        advice: "Call zeroGrad() at its end, or carry what changes.",
      });
    }
    unrolls = true;
  }
}

/** A test of a captured loop, which must leave alone what is outside: it is one operation with the steps. */
function withoutEffects(xs: readonly Value[], test: (xs: readonly Value[]) => Value): Value {
  const mark = state.tracer?.mark();
  const holds = test(xs);
  if (!mark?.changed()) return holds;
  throw new ArgumentError({
    where: "whileLoop",
    expected: "a condition that assigns to nothing outside",
    received: "one that assigns to a parameter, a buffer or a gradient while a function is compiled",
    advice: "Do it in the body, and carry what the condition reads.",
  });
}

/**
 * Applies `body(i, carry)` for i from `start` up to, not including, `end`; i is an int32 scalar.
 *
 * While a function is captured and the carry is not known, the loop is one operation of the graph, whose derivatives are
 * loops as well; body must then keep shapes. In a loop over known data `i.item()` is the number; `random.fold(key, i)`
 * gives each step random numbers of its own in either.
 * Throws: ArgumentError unless start and end are whole numbers; ShapeError for a body that changes a captured loop's types.
 *
 * @example
 * foriLoop(1, 5, (i, x) => mul(x, i), 1) // 24
 */
export function foriLoop<I>(
  start: number,
  end: number,
  body: (i: Value, carry: ValueTree<I>) => TreeInput<ValueTree<I>>,
  initial: I,
): ValueTree<I> {
  for (const bound of [start, end]) {
    if (typeof bound === "number" && bound === (bound | 0)) continue;
    throw new ArgumentError({
      where: "foriLoop",
      expected: "start and end must be whole numbers below 2³¹",
      received: describe(bound),
      advice: "Where the number of steps is a value, write a whileLoop.",
    });
  }
  const first = flatten("foriLoop", initial, "carry");
  const step = (i: Value, xs: readonly Value[], { rebuild } = first) =>
    flatten("foriLoop", body(i, rebuild(xs) as ValueTree<I>), "carry");
  const mark = state.tracer?.mark();
  let carry = first;
  for (let i = start, tries = 0; i < end; i++) {
    const effects = tries < MOST_TRIES && mark?.changed() === true;
    if (tries < MOST_TRIES && (effects || carry.leaves.some(isUnknown))) {
      tries++;
      // What was assigned stays assigned; what was only computed is computed again in the loop.
      const [from, begun] = effects ? [i, carry] : [start, first];
      const indices = Int32Array.from({ length: end - from }, (_, k) => from + k);
      const stream = constant(tensorType([indices.length], "int32"), indices);
      const ended = captureLoop(begun.leaves, (loop) =>
        capturedScan("foriLoop", loop.initial, [stream], (xs, [index]) => {
          const next = step(index as Value, loop.enter(xs), begun);
          return { carry: loop.leave(nextLeaves("foriLoop", next, begun.paths)), out: [] };
        }),
      );
      if (ended !== null) return begun.rebuild(ended.carry) as ValueTree<I>;
    }
    carry = step(constant(INT32, i), carry.leaves, carry);
  }
  return carry.rebuild(carry.leaves) as ValueTree<I>;
}

const INT32 = /* @__PURE__ */ tensorType([], "int32");

/** How often a loop is captured: again when a first step has made gradients, which all others then find. */
const MOST_TRIES = 2;

/** Options of `scan`. */
export interface ScanOptions {
  /** Run from the last entry to the first; outputs keep their entries' places. */
  readonly reverse?: boolean;
  /**
   * Keep at most this many carries for the reverse sweep, and compute the others again: with s of them and r
   * repetitions, C(s + r, s) steps. By default everything is kept.
   *
   * While a function is captured the steps are taken in segments of segments, s at each of log n/log s depths: at most
   * s carries are kept at each depth, and each step is computed once more for each.
   */
  readonly snapshots?: number;
}

/**
 * Carries a structure through the entries of another along their first axis, and stacks what each step gives.
 *
 * `f(carry, x)` returns `[carry, y]`. Shape: xs' leaves [n, ...] → ys' leaves [n, ...].
 * While a function is captured and what f computes is not known, the loop is one operation of the graph, whose
 * derivatives are loops as well; f must then keep the carry's shapes.
 * Throws: ShapeError where leading sizes differ, or f changes a captured loop's types; ArgumentError where xs holds no
 * value or no entry.
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
  const entries = flatten("scan", xs, "xs");
  const n = checkedLength(entries.leaves);
  if (snapshots !== undefined && !(Number.isInteger(snapshots) && snapshots >= 2)) {
    throw new ArgumentError({
      where: "scan",
      expected: "snapshots must be a whole number ≥ 2",
      received: describe(snapshots),
    });
  }
  const start = flatten("scan", initial, "carry");
  let last = start;
  let rebuildOut: (leaves: readonly Value[]) => unknown = () => undefined;
  const step: Step = (leaves, entry) => {
    const result = f(last.rebuild(leaves) as ValueTree<I>, entries.rebuild(entry) as ValueTree<X>);
    if (!Array.isArray(result) || result.length !== 2 || isValue(result)) {
      throw new ArgumentError({
        where: "scan",
        expected: "f must return [carry, y]",
        received: describe(result),
      });
    }
    last = flatten("scan", result[0], "carry");
    const out = flatten("scan", result[1], "y");
    rebuildOut = out.rebuild;
    return { carry: last.leaves, out: out.leaves };
  };
  const course = { reverse, ...(snapshots === undefined ? {} : { snapshots }) };
  /** The scan of streams as one operation: from its start, or from the carry now. */
  const captured: Captured = (streams, restarts) => {
    const before = last;
    const from = restarts ? start : last;
    const ended = captureLoop(from.leaves, (loop) =>
      capturedScan(
        "scan",
        loop.initial,
        streams,
        (carry, entry) => {
          last = from;
          const { out } = step(loop.enter(carry), entry);
          return { carry: loop.leave(nextLeaves("scan", last, from.paths)), out };
        },
        course,
      ),
    );
    last = ended === null ? before : from;
    return ended;
  };
  const { carry, out } = eagerScan(step, captured, start.leaves, entries.leaves, n, course);
  return [last.rebuild(carry) as ValueTree<I>, rebuildOut(out) as ValueTree<Y>];
}

/** The leading size that all have. */
function checkedLength(streams: readonly Value[]): number {
  const sizes = new Set(streams.map((x) => x.shape[0]));
  const [n] = sizes;
  if (sizes.size !== 1 || n === undefined) {
    throw new ShapeError({
      where: "scan",
      expected: "all of xs must have one leading size",
      received:
        streams.length === 0 ? "no values" : [...sizes].map((size) => size ?? "a scalar").join(" and "),
    });
  }
  if (n === 0) throw new ArgumentError({ where: "scan", expected: "at least one entry", received: "none" });
  return n;
}

/** What a scan is as one operation; null where its steps are not alike. */
type Captured = (streams: readonly Value[], restarts: boolean) => Progress | null;

/** The loop over data; what `captured` makes of it, unless that is null, where a step gives what is not known. */
function eagerScan(
  step: Step,
  captured: Captured,
  initial: readonly Value[],
  streams: readonly Value[],
  n: number,
  { reverse, snapshots }: { readonly reverse: boolean; readonly snapshots?: number },
): Progress {
  const entries = streams.map((x) => entriesOf(x, n));
  const at = (k: number) => entries.map((entry) => entry(reverse ? n - 1 - k : k));
  let latest: Progress = { carry: initial, out: streams };
  const mark = state.tracer?.mark();
  if (snapshots !== undefined) {
    if (!givesUnknown(step, latest, () => at(0))) {
      const turned = (xs: readonly Value[]) => (reverse ? xs.map((x) => flip(x, 0)) : xs);
      const { carry, out } = revolve(step, initial, turned(streams), n, snapshots);
      return { carry, out: turned(out) };
    }
  }
  const outs: (readonly Value[])[] = [];
  const stacked = (): Value[] => {
    if (reverse) outs.reverse();
    return latest.out.map((_, leaf) => stack(outs.map((each) => each[leaf] as Value)));
  };
  let wants = snapshots !== undefined;
  for (let k = 0, tries = 0; k < n; k++) {
    const effects = tries < MOST_TRIES && mark?.changed() === true;
    wants ||= effects || unknown(latest);
    if (wants && tries < MOST_TRIES) {
      tries++;
      // What was assigned stays assigned; what was only computed is computed again in the loop.
      if (!effects) {
        const ended = captured(streams, true);
        if (ended !== null) return ended;
      } else {
        const rest = streams.map((x) => slice(x, reverse ? [0, n - k] : [k, n]));
        const ended = captured(rest, false);
        if (ended !== null) {
          const parts = stacked().map((y, leaf) => [y, ended.out[leaf] as Value]);
          return { carry: ended.carry, out: parts.map((both) => concat(reverse ? both.reverse() : both)) };
        }
      }
    }
    latest = step(latest.carry, at(k));
    outs.push(latest.out);
  }
  return { carry: latest.carry, out: stacked() };
}

/** Whether not all is known. */
const unknown = ({ carry, out }: Progress): boolean => carry.some(isUnknown) || out.some(isUnknown);

/** Whether a first step gives what is not known: it may, while a function is captured, and is then taken to see. */
function givesUnknown(step: Step, start: Progress, entries: () => Value[]): boolean {
  if (state.captures === 0) return false;
  const mark = state.tracer?.mark();
  const gives = unknown(start) || withRecording(false, () => unknown(step(start.carry, entries())));
  mark?.rewind();
  return gives;
}

/**
 * The entries of a stream. The cotangent of an entry is an array of the size of what it was taken from; long streams
 * that have cotangents are taken apart in blocks first, so that these arrays stay small.
 */
function entriesOf(stream: Value, n: number): (i: number) => Value {
  const size = stream.isDifferentiable && n > 64 ? Math.ceil(Math.sqrt(n)) : n;
  if (size === n) return (i) => slice(stream, i);
  let current = -1;
  let block = stream;
  return (i) => {
    const which = Math.floor(i / size);
    if (which !== current) block = slice(stream, [which * size, (which + 1) * size]);
    current = which;
    return slice(block, i - which * size);
  };
}
