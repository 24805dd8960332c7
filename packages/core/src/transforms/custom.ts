/** customVjp, customJvp and onCotangent: derivatives that the author states. */

import { ArgumentError, GraphError, ShapeError } from "../errors.ts";
import { captureTypes } from "../graph/capture.ts";
import { makeNode, type Operation, operand, together, zerosLike } from "../op.ts";
import { sum } from "../ops/reduction.ts";
import { formatShape, sameShape } from "../shape.ts";
import { broadcastEdges, type Spread } from "../spread.ts";
import { current } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import type { TensorType } from "../tensor-type.ts";
import { extraOf, type Operand, type Value } from "../value.ts";
import {
  checkedResult,
  close,
  evaluator,
  readsBeyond,
  refuseOutside,
  resultType,
  type ValueFunction,
} from "./closure.ts";
import { vjp } from "./vjp.ts";
import { vmap } from "./vmap.ts";

/** What a stated rule may look at. */
export interface CustomView {
  readonly inputs: readonly Value[];
  readonly output: Value;
}

/** From the output's cotangent to the inputs', one each; null where nothing flows. */
export type CustomPullback = (dy: Value, node: CustomView) => readonly (Value | null)[];

/** From the inputs' tangents to the output's. Must be linear in the tangents. */
export type CustomPushforward = (tangents: readonly Value[], node: CustomView) => Value;

/**
 * A stated rule: from what it is `given` (the cotangent of the output, or the tangents of the arguments) to what it
 * states. `captured` are values of a capture around that the function or the rule reads, inputs of the node as well.
 */
type Rule = (
  given: readonly Value[],
  args: readonly Value[],
  captured: readonly Value[],
  output: Value,
) => readonly (Value | null)[];

/** A function of `count` arguments and, after them, of captured values, with its rule. */
interface Stated {
  readonly name: string;
  readonly f: ValueFunction;
  readonly rule: Rule;
  readonly count: number;
}

/** What differs between the ways to state a rule. */
interface Kind {
  /** The types of what the rule is given. */
  given(args: readonly TensorType[], output: TensorType): readonly TensorType[];
  record(stated: Stated): Pick<Operation<null>, "vjp" | "jvp" | "batch">;
  readonly spread: Spread<null> | null;
}

/** The record of a function with a stated rule. */
function recordOf(kind: Kind, stated: Stated): Operation<null> {
  const { name, f } = stated;
  return {
    name,
    infer: (types) => resultType(f, types),
    evaluate: (inputs) => constantRun(stated, inputs).storage as never,
    spread: kind.spread,
    lowering: () => ({ kind: "rewrite", rewrite: (inputs) => f(...inputs) }),
    linear: false,
    differentiable: true,
    elementwise: null,
    ...kind.record(stated),
  };
}

function constantRun({ name, f }: Stated, inputs: readonly Value[]): Value {
  return withRecording(false, () => checkedResult(name, f(...inputs)));
}

/** A function as one node of its record. */
function nodeOf(kind: Kind, stated: Stated, inputs: readonly Value[]): Value {
  const y = constantRun(stated, inputs);
  const node = makeNode(recordOf(kind, stated), inputs, null, y.type, y.storage);
  if (y.storage === null) extraOf(node).body = y;
  return node;
}

/** `f` as a function of operands, of which each call is one node with the rule. */
function statedFunction(kind: Kind, name: string, f: ValueFunction, rule: Rule): (...xs: Operand[]) => Value {
  const record = recordOf(kind, { name, f, rule, count: Infinity });
  return (...xs) => {
    const args = xs.map((x) => current(operand(name, x)));
    const closed = close(name, f, args);
    const { y } = closed;
    refuseOutside(name, closed.differentiable);
    if (closed.evaluated) return makeNode(record, args, null, y.type, y.storage);
    const types = args.map((x) => x.type);
    const known = args.length + closed.captured.length;
    const closedRule = closeRule(rule, kind.given(types, y.type), types, y.type);
    const stated: Stated = {
      name,
      f: (...inputs) => closed.f(...inputs.slice(0, known)),
      rule: (given, args, captured, output) =>
        closedRule.rule(given, args, captured.slice(closed.captured.length), output),
      count: args.length,
    };
    const inputs = [...args, ...closed.captured, ...closedRule.captured];
    const node = makeNode(recordOf(kind, stated), inputs, null, y.type, null);
    extraOf(node).body = constantRun(stated, inputs);
    return node;
  };
}

/** A rule as its graph, and what that reads of the capture around. */
function closeRule(
  rule: Rule,
  given: readonly TensorType[],
  args: readonly TensorType[],
  output: TensorType,
): { rule: Rule; captured: readonly Value[] } {
  let present: boolean[] = [];
  try {
    const graph = captureTypes([...given, ...args, output], (xs) => {
      const results = rule(xs.slice(0, given.length), xs.slice(given.length, -1), [], xs.at(-1) as Value);
      present = results.map((x) => x !== null);
      return results.filter((x) => x !== null);
    });
    const evaluate = evaluator(graph);
    return {
      captured: graph.outside,
      rule(given, args, captured, output) {
        const results = evaluate([...given, ...args, output, ...captured]);
        let at = 0;
        return present.map((is) => (is ? (results[at++] as Value) : null));
      },
    };
  } catch {
    // A rule that reads data can only run where there is some: in a sweep, which throws what is wrong with it.
    return { captured: [], rule };
  }
}

/** Refuses a node whose captured inputs turn out to be differentiable, if its function depends on them. */
function checkCaptured({ name, f, count }: Stated, inputs: readonly Value[]): void {
  if (readsBeyond(f, inputs, count))
    refuseOutside(
      name,
      inputs.slice(count).filter((x) => x.tracked),
    );
}

/** Maps a function of values over those that are batched. */
function batched(f: ValueFunction, which: readonly boolean[]): ValueFunction {
  return vmap(f, { inAxes: which.map((is) => (is ? 0 : null)) }) as ValueFunction;
}

/** Rules that give cotangents. */
function reverseKind(
  jvp: (name: string) => NonNullable<Operation<null>["jvp"]>,
  spread: Spread<null> | null,
): Kind {
  const kind: Kind = {
    given: (_, output) => [output],
    spread,
    record: (stated) => ({
      vjp: together((dy, { inputs, output }) => {
        checkCaptured(stated, inputs);
        return stated.rule([dy], inputs.slice(0, stated.count), inputs.slice(stated.count), output);
      }),
      jvp: jvp(stated.name),
      batch: (inputs, which) => {
        const { name, f, rule, count } = stated;
        const mapped: Rule = ([dy], args, captured, output) =>
          args.map((_, index) => {
            const one: ValueFunction = (d, y, ...xs) =>
              rule([d as Value], xs.slice(0, count), xs.slice(count), y as Value)[index] ??
              zerosLike(xs[index] as Value);
            const part = batched(one, [true, true, ...which])(dy as Value, output, ...args, ...captured);
            return which[index] ? part : sum(part, 0);
          });
        return nodeOf(kind, { name, f: batched(f, which), rule: mapped, count }, inputs);
      },
    }),
  };
  return kind;
}

const CUSTOM_VJP = /* @__PURE__ */ reverseKind(
  (name) => () => {
    throw new GraphError({
      where: "jvp",
      expected: "a forward rule for every operation",
      received: `${name}, made by customVjp`,
      advice: "Make it with customJvp, whose rule serves both modes.",
    });
  },
  null,
);

/**
 * `f` with a reverse rule of its own: `pullback(dy, { inputs, output })` returns one cotangent an input, in public
 * operations, so that it can be differentiated again. What f does inside is not differentiated.
 *
 * Forward mode through it is an error: state `customJvp` for both modes. So is a differentiable value that f reads from
 * outside, since the pullback says nothing of it: pass it as an argument.
 *
 * @example
 * const signStraightThrough = customVjp((x) => sign(x), (dy) => [dy]);
 * grad((x) => signStraightThrough(x))(-0.3) // 1
 */
export function customVjp(f: ValueFunction, pullback: CustomPullback): (...xs: Operand[]) => Value {
  return statedFunction(CUSTOM_VJP, f.name || "customVjp", f, ([dy], inputs, _, output) => {
    const cotangents = pullback(dy as Value, { inputs, output });
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
  });
}

function checkShape(where: string, what: string, got: Value, like: Value): void {
  if (sameShape(got.shape, like.shape)) return;
  throw new ShapeError({
    where,
    expected: `a ${what} must have the shape ${formatShape(like.shape)}`,
    received: formatShape(got.shape),
  });
}

/** Rules that give a tangent; reverse mode is their transpose. */
const CUSTOM_JVP: Kind = {
  given: (args) => args,
  spread: null,
  record: (stated) => {
    const { name, f, rule, count } = stated;
    const push = (tangents: readonly Value[], inputs: readonly Value[], output: Value): Value =>
      rule(tangents, inputs.slice(0, count), inputs.slice(count), output)[0] as Value;
    return {
      jvp: (tangents, { inputs, output }) => {
        if (tangents.slice(count).some((t) => t !== null)) checkCaptured(stated, inputs);
        const given = inputs.slice(0, count).map((x, i) => tangents[i] ?? zerosLike(x));
        return push(given, inputs, output);
      },
      vjp: together((dy, { inputs, output }) => {
        checkCaptured(stated, inputs);
        // Linear in the tangents: its transpose is its vjp at zero.
        const zeros = inputs.slice(0, count).map(zerosLike);
        const [, pull] = vjp((...ts: Value[]) => push(ts, inputs, output), ...zeros);
        return pull(dy) as readonly Value[];
      }),
      batch: (inputs, which) => {
        const mapped: Rule = (tangents, args, captured, output) => {
          const n = tangents.length;
          const one: ValueFunction = (y, ...rest) => push(rest.slice(0, n), rest.slice(n), y as Value);
          const all = [true, ...which.slice(0, n), ...which];
          return [batched(one, all)(output, ...tangents, ...args, ...captured)];
        };
        return nodeOf(CUSTOM_JVP, { name, f: batched(f, which), rule: mapped, count }, inputs);
      },
    };
  },
};

/**
 * `f` with a forward rule of its own: `pushforward(tangents, { inputs, output })` returns the output's tangent, in
 * public operations and linear in the tangents. Reverse mode is its transpose.
 *
 * A differentiable value that f reads from outside is an error: pass it as an argument.
 *
 * @example
 * const f = customJvp((x) => exp(x), ([t], { output }) => mul(t as Value, output));
 * [jvp(f, [0], [2])[1], grad((x) => f(x))(0)] // [2, 1]
 */
export function customJvp(f: ValueFunction, pushforward: CustomPushforward): (...xs: Operand[]) => Value {
  return statedFunction(CUSTOM_JVP, f.name || "customJvp", f, (tangents, inputs, _, output) => {
    const ty = pushforward(tangents, { inputs, output });
    checkShape("customJvp", "tangent", ty, output);
    return [ty];
  });
}

const ON_COTANGENT = /* @__PURE__ */ reverseKind(
  () =>
    ([tx]) =>
      tx as Value | null,
  (inputs, _, { shape }) =>
    inputs.map((_, k) => (k === 0 ? broadcastEdges(shape, shape) : new Int32Array(0))),
);

/**
 * The value itself; `hook` is called with the cotangent that arrives there in a reverse sweep, and what it returns,
 * if anything, flows on instead.
 *
 * In forward mode it is the identity: tangents pass it untouched. Under `vmap` the hook is mapped, so that it does to
 * each example's cotangent what it would do in a loop: it sees one example's, without data. While a function is
 * captured it is run once more, to see what it reads.
 *
 * @example
 * grad((x) => onCotangent(mul(x, 3), (d) => mul(d, 10)))(1) // 30
 */
export function onCotangent(x: Operand, hook: (cotangent: Value) => Value | undefined): Value {
  const rule: Rule = ([dy]) => {
    const given = dy as Value;
    const flowing = hook(given) ?? given;
    checkShape("onCotangent", "cotangent", flowing, given);
    return [flowing];
  };
  return statedFunction(ON_COTANGENT, "onCotangent", (y) => y as Value, rule)(x);
}
