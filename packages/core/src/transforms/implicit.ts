/** fixedPoint and implicitSolve: a solution's derivatives by the implicit function theorem, not through the way to it. */

import { ArgumentError, GraphError } from "../errors.ts";
import { operand } from "../op.ts";
import { add, neg } from "../ops/elementwise.ts";
import { solve } from "../ops/linalg/solve.ts";
import { reshape, transpose } from "../ops/movement.ts";
import type { Operand, Value } from "../value.ts";
import { customVjp, type ValueFunction } from "./custom.ts";
import { jacobian } from "./jacobian.ts";
import { vjp } from "./vjp.ts";

/** Options of `fixedPoint`. */
export interface FixedPointOptions {
  /** Iteration ends where no element changes by more than this, relative to 1 + |x|. By default 1e-12. */
  readonly tolerance?: number;
  /** How many iterations are allowed. By default 1000. */
  readonly maxIterations?: number;
}

/**
 * The solution x of x = f(x, ...parameters) by iteration from `start`, differentiable by the parameters.
 *
 * Derivative: with A = ∂f/∂x at the solution, the cotangent u = dy + Aᵀu is found by iteration as well, then pulled
 * back to the parameters: memory does not grow with the iterations. f must contract near the solution; what it reads
 * from outside is constant. Differentiates to any order.
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
  { tolerance = 1e-12, maxIterations = 1000 }: FixedPointOptions = {},
): Value {
  if (!(tolerance > 0)) {
    throw new ArgumentError({
      where: "fixedPoint",
      expected: "tolerance must be > 0",
      received: String(tolerance),
    });
  }
  const first = operand("fixedPoint", start);
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
  const solve: ValueFunction = (...ps) => settle((x) => f(x, ...ps), first);
  const solved = customVjp(solve, (dy, { inputs, output }) => {
    const pullAt = (x: Value, ps: readonly Value[], u: Value) =>
      (vjp as unknown as (f: ValueFunction, ...xs: Value[]) => [Value, (u: Value) => Value[]])(
        f,
        x,
        ...ps,
      )[1](u);
    const step = (u: Value, dy: Value, x: Value, ...ps: Value[]) => add(dy, pullAt(x, ps, u)[0] as Value);
    const u = fixedPoint(step, dy, [dy, output, ...inputs], { tolerance, maxIterations });
    return pullAt(output, inputs, u).slice(1);
  });
  return solved(...parameters);
}

/**
 * A solver of residual(x, ...parameters) = 0, differentiable by the parameters whatever it does inside.
 *
 * `solver(...parameters)` returns the solution x, by any means: what it computes is not differentiated.
 * Derivative: with J = ∂residual/∂x at the solution, Jᵀu = −dy is solved, and u pulled back through the residual to the
 * parameters. Differentiates to any order. x and the residual have as many elements; J must not be singular.
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
  return customVjp(solver, (dy, { inputs, output }) => {
    const n = output.size;
    const j = reshape(jacobian((x) => residual(x, ...inputs))(output), [n, n]);
    const u = solve(transpose(j), neg(reshape(dy, [n])));
    const [r, pull] = (
      vjp as unknown as (f: ValueFunction, ...xs: Value[]) => [Value, (u: Value) => Value[]]
    )((...ps) => residual(output, ...ps), ...inputs);
    return pull(reshape(u, r.shape));
  });
}

function settled(x: Value, next: Value, tolerance: number): boolean {
  const before = x.data;
  return next.data.every(
    (n: number, i: number) => Math.abs(n - (before[i] as number)) <= tolerance * (1 + Math.abs(n)),
  );
}
