/** A chain of additions and products of scalars, recorded and swept: the cost of one eager operation. */

import { parameter, type Value } from "@adjoint/core";
import { ClosureValue } from "../peers/closures.ts";

interface Scalar<S> {
  add(other: S): S;
  mul(other: S): S;
}

function chain<S extends Scalar<S>>(x: S, y: S, n: number): S {
  let v = x;
  for (let i = 0; i < n; i += 2) v = v.add(x).mul(y);
  return v;
}

/** Adjoint, eager: `repeats` chains of `n` operations; returns the last gradient. */
export function adjointChain(n: number, repeats: number): () => number {
  const x = parameter(0.5);
  const y = parameter(0.9);
  return () => {
    let gradient = 0;
    for (let i = 0; i < repeats; i++) {
      x.grad = null;
      y.grad = null;
      chain<Value>(x, y, n).backward();
      gradient = (x.grad as Value | null)?.item() ?? 0;
    }
    return gradient;
  };
}

/** A closure-based engine, the same. Its recursive sort overflows the stack on long chains. */
export function closureChain(n: number, repeats: number): () => number {
  return () => {
    let gradient = 0;
    for (let i = 0; i < repeats; i++) {
      const x = new ClosureValue(0.5);
      chain(x, new ClosureValue(0.9), n).backward();
      gradient = x.grad;
    }
    return gradient;
  };
}
