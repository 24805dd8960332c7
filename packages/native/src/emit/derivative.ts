/** Derivatives: what is captured where a function's value, gradient or other derivative is wanted in C. */

import {
  ArgumentError,
  hessian,
  hvp,
  jacobian,
  type SparsityPattern,
  sparseHessian,
  sparseJacobian,
  type Value,
  valueAndGrad,
} from "@adjoint/core";
import type { Parameter } from "./parameters.ts";

/** A function as it is given. */
export type F = (...args: never[]) => unknown;

export const DERIVATIVES = [
  "value",
  "gradient",
  "jacobian",
  "hessian",
  "sparseJacobian",
  "sparseHessian",
  "hvp",
] as const;

/** What `emitC` prints. */
export type Derivative = (typeof DERIVATIVES)[number];

/** What is captured for a derivative. */
export interface Derived {
  readonly g: (...xs: Value[]) => unknown;
  readonly read: readonly Parameter[];
  /** What its results are called, as far as that is known. */
  readonly results: readonly string[];
  /** The pattern of a sparse derivative, once it is captured. */
  readonly patterns: readonly SparsityPattern[];
}

/** A function or its derivative, to be captured. */
export function derived(f: F, inputs: readonly Parameter[], derivative: Derivative): Derived {
  const whole = f as (...xs: Value[]) => Value;
  const along = (rest: readonly Value[]) => (x: Value) => whole(x, ...rest);
  const [first] = inputs;
  if (derivative === "value") return { g: whole, read: inputs, results: ["value"], patterns: [] };
  if (first === undefined || !isFloat(first.example)) {
    throw new ArgumentError({
      where: "emitC",
      expected: "the first argument of what is differentiated must be floating",
      received: first === undefined ? "no arguments" : first.example.dtype,
    });
  }
  switch (derivative) {
    case "gradient": {
      const argnums = [...inputs.keys()].filter((i) => isFloat((inputs[i] as Parameter).example));
      return {
        g: valueAndGrad(whole, { argnums }) as Derived["g"],
        read: inputs,
        results: ["value", ...argnums.map((i) => `gradient_${(inputs[i] as Parameter).name}`)],
        patterns: [],
      };
    }
    case "hvp":
      return {
        g: (...xs) => hvp(along(xs.slice(1, -1)), xs[0] as Value, xs.at(-1) as Value),
        read: [...inputs, { ...first, name: "direction" }],
        results: ["product"],
        patterns: [],
      };
    case "jacobian":
    case "hessian": {
      const transform = derivative === "jacobian" ? jacobian : hessian;
      return {
        g: (x, ...rest) => [along(rest)(x as Value), transform(along(rest))(x as Value)],
        read: inputs,
        results: ["value", derivative],
        patterns: [],
      };
    }
    default: {
      const [transform, result] =
        derivative === "sparseJacobian" ? [sparseJacobian, "jacobian"] : [sparseHessian, "hessian"];
      const patterns: SparsityPattern[] = [];
      const g = (x: Value, ...rest: Value[]) => {
        const { values, ...pattern } = transform(along(rest), x);
        patterns.push(pattern);
        return [along(rest)(x), values];
      };
      return { g: g as Derived["g"], read: inputs, results: ["value", result], patterns };
    }
  }
}

function isFloat({ dtype }: Value): boolean {
  return dtype === "float64" || dtype === "float32";
}
