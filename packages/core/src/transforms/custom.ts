/** customVjp, customJvp and onCotangent: derivatives that the author states. */

import { ArgumentError, describe, GraphError, ShapeError } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import { makeNode, type NodeView, type Operation, operand, together, zerosLike } from "../op.ts";
import { sum } from "../ops/reduction.ts";
import { formatShape, sameShape } from "../shape.ts";
import { withRecording } from "../sweep/backward.ts";
import { extraOf, isValue, type Operand, type TensorType, type Value } from "../value.ts";
import { vjp } from "./vjp.ts";
import { vmap } from "./vmap.ts";

/** A function of values with one value as its result. */
export type ValueFunction = (...xs: Value[]) => Value;

/** What a stated rule may look at. */
export interface CustomView {
  readonly inputs: readonly Value[];
  readonly output: Value;
}

/** From the output's cotangent to the inputs', one each; null where nothing flows. */
export type CustomPullback = (dy: Value, node: CustomView) => readonly (Value | null)[];

/** From the inputs' tangents to the output's. Must be linear in the tangents. */
export type CustomPushforward = (tangents: readonly Value[], node: CustomView) => Value;

/** The output of `f` as one node of an operation with stated rules. */
function customNode(record: Operation<null>, f: ValueFunction, xs: readonly Operand[]): Value {
  const inputs = xs.map((x) => operand(record.name, x));
  const y = run(record.name, f, inputs);
  const node = makeNode(record, inputs, null, y.type, y.storage);
  if (y.storage === null) extraOf(node).body = y;
  return node;
}

function run(where: string, f: ValueFunction, inputs: readonly Value[]): Value {
  const y = withRecording(false, () => f(...inputs));
  if (isValue(y)) return y;
  throw new ArgumentError({ where, expected: "f must return a value", received: describe(y) });
}

/** What records of stated rules have in common. */
function customRecord(
  name: string,
  f: ValueFunction,
  rules: Pick<Operation<null>, "vjp" | "jvp" | "batch">,
): Operation<null> {
  return {
    name,
    infer: (types) => captureTypes(types, (inputs) => [run(name, f, inputs)]).outputs[0]?.type as TensorType,
    evaluate: (inputs) => run(name, f, inputs).storage as never,
    spread: null,
    lowering: () => ({ kind: "rewrite", rewrite: (inputs) => run(name, f, inputs) }),
    linear: false,
    differentiable: true,
    elementwise: null,
    ...rules,
  };
}

/** Maps a function of values over those that are batched. */
function batched(f: ValueFunction, which: readonly boolean[]): ValueFunction {
  return vmap(f, { inAxes: which.map((is) => (is ? 0 : null)) }) as ValueFunction;
}

/**
 * `f` with a reverse rule of its own: `pullback(dy, { inputs, output })` returns one cotangent an input, in public
 * operations, so that it can be differentiated again. What f does inside is not differentiated.
 *
 * Forward mode through it is an error: state `customJvp` for both modes.
 *
 * @example
 * const signStraightThrough = customVjp((x) => sign(x), (dy) => [dy]);
 * grad((x) => signStraightThrough(x))(-0.3) // 1
 */
export function customVjp(f: ValueFunction, pullback: CustomPullback): (...xs: Operand[]) => Value {
  const name = f.name || "customVjp";
  const record = customRecord(name, f, {
    vjp: together((dy, { inputs, output }) => {
      const cotangents = pullback(dy, { inputs, output });
      if (cotangents.length !== inputs.length) {
        throw new ArgumentError({
          where: "customVjp",
          expected: `the pullback must return one cotangent for each of the ${inputs.length} inputs`,
          received: String(cotangents.length),
        });
      }
      cotangents.forEach((dx, i) => {
        if (dx !== null) checkShape("customVjp", "cotangent", dx, inputs[i] as Value);
      });
      return cotangents;
    }),
    jvp: () => {
      throw new GraphError({
        where: "jvp",
        expected: "a forward rule for every operation",
        received: `${name}, made by customVjp`,
        advice: "Make it with customJvp, whose rule serves both modes.",
      });
    },
    batch: (inputs, which) =>
      customVjp(batched(f, which), (dy, { inputs: xs, output }) => {
        const parts = xs.map((_, index) => {
          const one: ValueFunction = (d, y, ...rest) =>
            pullback(d, { inputs: rest, output: y })[index] ?? zerosLike(rest[index] as Value);
          return batched(one, [true, true, ...which])(dy, output, ...xs);
        });
        return parts.map((part, i) => (which[i] ? part : sum(part, 0)));
      })(...inputs),
  });
  return (...xs) => customNode(record, f, xs);
}

function checkShape(where: string, what: string, got: Value, like: Value): void {
  if (sameShape(got.shape, like.shape)) return;
  throw new ShapeError({
    where,
    expected: `a ${what} must have the shape ${formatShape(like.shape)}`,
    received: formatShape(got.shape),
  });
}

/**
 * `f` with a forward rule of its own: `pushforward(tangents, { inputs, output })` returns the output's tangent, in
 * public operations and linear in the tangents. Reverse mode is its transpose.
 *
 * @example
 * const f = customJvp((x) => exp(x), ([t], { output }) => mul(t as Value, output));
 * [jvp(f, [0], [2])[1], grad((x) => f(x))(0)] // [2, 1]
 */
export function customJvp(f: ValueFunction, pushforward: CustomPushforward): (...xs: Operand[]) => Value {
  const name = f.name || "customJvp";
  const push = (tangents: readonly (Value | null)[], { inputs, output }: NodeView<null>): Value => {
    const given = tangents.map((t, i) => t ?? zerosLike(inputs[i] as Value));
    const ty = pushforward(given, { inputs, output });
    checkShape("customJvp", "tangent", ty, output);
    return ty;
  };
  const record = customRecord(name, f, {
    jvp: push,
    vjp: together((dy, node) => {
      // Linear in the tangents: its transpose is its vjp at zero.
      const [, pull] = vjp((...ts: Value[]) => push(ts, node), ...node.inputs.map(zerosLike));
      return pull(dy) as readonly Value[];
    }),
    batch: (inputs, which) =>
      customJvp(batched(f, which), (tangents, { inputs: xs, output }) => {
        const n = xs.length;
        const one: ValueFunction = (y, ...rest) =>
          pushforward(rest.slice(0, n), { inputs: rest.slice(n), output: y });
        return batched(one, [true, ...which, ...which])(output, ...tangents, ...xs);
      })(...inputs),
  });
  return (...xs) => customNode(record, f, xs);
}

/**
 * The value itself; `hook` is called with the cotangent that arrives there in a reverse sweep, and what it returns,
 * if anything, flows on instead.
 *
 * @example
 * grad((x) => onCotangent(mul(x, 3), (d) => mul(d, 10)))(1) // 30
 */
export function onCotangent(x: Operand, hook: (cotangent: Value) => Value | undefined): Value {
  return customVjp(
    (y) => y,
    (dy) => [hook(dy) ?? dy],
  )(x);
}
