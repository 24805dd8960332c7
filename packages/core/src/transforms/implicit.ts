/** fixedPoint and implicitSolve: a solution's derivatives by the implicit function theorem, not through the way to it. */

import { ArgumentError, GraphError, ShapeError } from "../errors.ts";
import { makeNode, type Operation, operand, together } from "../op.ts";
import { add, neg } from "../ops/elementwise.ts";
import { solve } from "../ops/linalg/solve.ts";
import { reshape, stopGradient, transpose } from "../ops/movement.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { current, state } from "../state.ts";
import { withRecording } from "../sweep/backward.ts";
import { forwardSweep } from "../sweep/forward.ts";
import { reverseSweep } from "../sweep/reverse.ts";
import type { TensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { close, type ValueFunction } from "./closure.ts";
import { jacobian } from "./jacobian.ts";
import { runLevel } from "./trace.ts";

/** A solution x that `condition(x, ...args)` defines, as a function of the args and of what the condition reads. */
interface Implicit {
  readonly name: string;
  readonly type: TensorType;
  /** How many of the node's inputs are arguments; the others are what the condition reads from outside. */
  readonly count: number;
  readonly condition: ValueFunction;
  solution(args: readonly Value[]): Value;
  /** What is pulled back through the condition where dy arrives at the solution. */
  adjoint(dy: Value, x: Value, args: readonly Value[]): Value;
  /** The solution's tangent, where that of the condition by all but x is `push`. */
  tangent(push: Value, x: Value, args: readonly Value[]): Value;
}

function recordOf({ name, type, count, condition, ...by }: Implicit): Operation<null> {
  return {
    name,
    infer: () => type,
    evaluate: (inputs) => withRecording(false, () => by.solution(inputs)).storage as never,
    spread: null,
    lowering: null,
    linear: false,
    differentiable: true,
    elementwise: null,
    batch: null,
    vjp: together((dy, { inputs, output }) => {
      const args = inputs.slice(0, count);
      const u = by.adjoint(dy, output, args);
      return pull(condition, [output, ...args], u, inputs.slice(count)).slice(1);
    }),
    jvp: (tangents, { inputs, output }) => {
      const args = inputs.slice(0, count);
      const pushed = push(condition, [output, ...args], [null, ...tangents], inputs.slice(count));
      return pushed === null ? null : by.tangent(pushed, output, args);
    },
  };
}

/** The cotangents of a function's arguments, then of what it reads from outside. */
function pull(f: ValueFunction, xs: readonly Value[], dy: Value, outside: readonly Value[] = []) {
  const { leaves, result, floor } = runLevel(xs, (leaves) => f(...leaves));
  const targets = [...leaves, ...outside];
  const cotangents: (Value | null)[] = [];
  reverseSweep([result], [dy], { floor, record: "needed", targets }, (_, dx) => {
    cotangents.push(dx);
  });
  return cotangents;
}

/** The tangent of a function from those of its arguments and, after them, of what it reads from outside. */
function push(
  f: ValueFunction,
  xs: readonly Value[],
  tangents: readonly (Value | null)[],
  outside: readonly Value[] = [],
): Value | null {
  const { leaves, result, floor } = runLevel(xs, (leaves) => f(...leaves));
  const given = [...leaves, ...outside].flatMap((x, i) => {
    const t = tangents[i] ?? null;
    return t === null ? [] : [{ x, t }];
  });
  const [sources, directions] = [given.map(({ x }) => x), given.map(({ t }) => t)];
  return forwardSweep([result], sources, directions, floor, outside)[0] as Value | null;
}

/** Options of `fixedPoint`. */
export interface FixedPointOptions {
  /** Iteration ends where no element changes by more than this, relative to 1 + |x|. By default 1e-12. */
  readonly tolerance?: number;
  /** How many iterations are allowed. By default 1000. */
  readonly maxIterations?: number;
}

const FIXED_POINT: OptionNames<FixedPointOptions> = { tolerance: true, maxIterations: true };

/**
 * The solution x of x = f(x, ...parameters) by iteration from `start`, differentiable by the parameters and by what f
 * reads from outside.
 *
 * Derivative: with A = ∂f/∂x at the solution, the cotangent u = dy + Aᵀu is found by iteration as well, then pulled
 * back to the parameters: memory does not grow with the iterations. Forward, the tangent t = At + b is found so. f must
 * contract near the solution. Differentiates to any order; `vmap` solves one example after another.
 * Throws: GraphError where the iteration does not settle.
 * Source: Christianson, Reverse Accumulation and Attractive Fixed Points (1994).
 *
 * @example
 * const squareRoot = (a: Value | number) => fixedPoint((x, a) => add(x, div(a, x)).mul(0.5), 1, [a]);
 * [squareRoot(2), grad(squareRoot)(2)] // [1.414213562373095, 0.353553390593273…]
 */
export function fixedPoint(
  f: (x: Value, ...parameters: Value[]) => Value,
  start: Operand,
  parameters: readonly Operand[],
  options: FixedPointOptions = {},
): Value {
  const { tolerance = 1e-12, maxIterations = 1000 } = checkOptions("fixedPoint", options, FIXED_POINT);
  if (!(tolerance > 0)) {
    throw new ArgumentError({
      where: "fixedPoint",
      expected: "tolerance must be > 0",
      received: String(tolerance),
    });
  }
  const settle = (step: (x: Value) => Value, from: Value): Value => {
    let x = from;
    for (let i = 0; i < maxIterations; i++) {
      const next = step(x);
      if (settled(x, next, tolerance)) return next;
      x = next;
    }
    throw new GraphError({
      where: "fixedPoint",
      expected: `the iteration must settle to ${tolerance} within ${maxIterations} steps`,
      received: "one that does not",
      advice: "Start nearer to the solution, or damp the iteration.",
    });
  };
  const first = stopGradient(operand("fixedPoint", start));
  const ps = parameters.map((x) => current(operand("fixedPoint", x)));
  const begun = withRecording(false, () => close("fixedPoint", f, [first, ...ps]));
  const step = begun.f;
  // While it is captured, the start may have no data yet: it is an input of the node as well, the first.
  const starts = begun.evaluated ? [] : [first];
  const inputs = [...starts, ...ps, ...begun.captured];
  const rest = (args: readonly Value[]) => args.slice(starts.length);
  const record = (type: TensorType): Operation<null> =>
    recordOf({
      name: "fixedPoint",
      type,
      count: inputs.length,
      condition: (x, ...args) => step(x as Value, ...rest(args)),
      solution: (args) => settle((x) => step(x, ...rest(args)), args[0] as Value),
      adjoint: (dy, x, args) =>
        fixedPoint(
          (u, dy, x, ...args) => {
            const [au] = pull(step, [x as Value, ...rest(args)], u);
            return au ? add(dy as Value, au) : (dy as Value);
          },
          dy,
          [dy, x, ...args],
          options,
        ),
      tangent: (b, x, args) =>
        fixedPoint(
          (t, b, x, ...args) => {
            const at = push(step, [x as Value, ...rest(args)], [t]);
            return at === null ? (b as Value) : add(b as Value, at);
          },
          b,
          [b, x, ...args],
          options,
        ),
    });
  if (!begun.evaluated) return makeNode(record(begun.y.type), inputs, null, begun.y.type, null);
  const y = withRecording(false, () => settle((x) => f(x, ...ps), first));
  const outside = state.recording ? close("fixedPoint", f, [y, ...ps]).differentiable : [];
  return makeNode(record(y.type), [...inputs, ...outside], null, y.type, y.storage);
}

/**
 * A solver of residual(x, ...parameters) = 0, differentiable by the parameters whatever it does inside, and by what the
 * residual reads from outside.
 *
 * `solver(...parameters)` returns the solution x, by any means: what it computes is not differentiated.
 * Derivative: with J = ∂residual/∂x at the solution, Jᵀu = −dy is solved, and u pulled back through the residual to the
 * parameters; forward, Jt = −b. Differentiates to any order; `vmap` solves one example after another. x and the residual
 * have as many elements; J must not be singular.
 * Source: Griewank & Walther, Evaluating Derivatives (2008), §15.2.
 *
 * @example
 * const cubeRoot = implicitSolve((x, a) => sub(pow(x, 3), a), (a) => value(Math.cbrt(a.item())));
 * [cubeRoot(8), grad((a) => cubeRoot(a))(8)] // [2, ~0.08333333333333333]
 */
export function implicitSolve(
  residual: (x: Value, ...parameters: Value[]) => Value,
  solver: (...parameters: Value[]) => Value,
): (...parameters: Operand[]) => Value {
  return (...parameters) => {
    const ps = parameters.map((x) => current(operand("implicitSolve", x)));
    const solved = withRecording(false, () => close("implicitSolve", solver, ps));
    const { type } = solved.y;
    const zero = close("implicitSolve", residual, [solved.y, ...ps]);
    if (zero.y.size !== type.size) {
      throw new ShapeError({
        where: "implicitSolve",
        expected: `the residual must have as many elements as the solution (${type.size})`,
        received: String(zero.y.size),
      });
    }
    const evaluated = solved.evaluated && zero.evaluated;
    const inputs = [...ps, ...solved.captured, ...zero.captured];
    const known = ps.length + solved.captured.length;
    const condition: ValueFunction = (x, ...args) =>
      zero.f(x as Value, ...args.slice(0, ps.length), ...args.slice(known));
    const matrix = (x: Value, args: readonly Value[]) =>
      reshape(jacobian((x) => condition(x, ...args))(x), [type.size, type.size]);
    const solveFlat = (a: Value, b: Value) => neg(solve(a, reshape(b, [type.size])));
    const record = recordOf({
      name: "implicitSolve",
      type,
      count: inputs.length,
      condition,
      solution: (args) => solved.f(...args.slice(0, known)),
      adjoint: (dy, x, args) => reshape(solveFlat(transpose(matrix(x, args)), dy), zero.y.shape),
      tangent: (b, x, args) => reshape(solveFlat(matrix(x, args), b), type.shape),
    });
    const outside = evaluated ? zero.differentiable : [];
    return makeNode(record, [...inputs, ...outside], null, type, evaluated ? solved.y.storage : null);
  };
}

function settled(x: Value, next: Value, tolerance: number): boolean {
  const before = x.data;
  return next.data.every(
    (n: number, i: number) => Math.abs(n - (before[i] as number)) <= tolerance * (1 + Math.abs(n)),
  );
}
