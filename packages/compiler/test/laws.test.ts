/** Compiled operations obey the laws of operations: derivatives of every kind are compiled, too. */

import { compile } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import { isValue, type Value } from "@adjoint/core";
import type { Draw } from "@adjoint/core/operations";
import { checkLaws, type LawfulOperation } from "@adjoint/gradcheck";
import { describe, expect, test } from "vitest";

const operations = Object.values(core).filter(
  (f) => typeof f === "function" && "definition" in f,
) as unknown as LawfulOperation[];

const isFloating = (x: unknown): x is Value => isValue(x) && (x.dtype === "float64" || x.dtype === "float32");

/** Puts what a function makes of them in the place of floating values, anywhere in arguments. */
function replaced(x: unknown, f: (x: Value) => unknown): unknown {
  if (Array.isArray(x)) return x.map((entry) => replaced(entry, f));
  return isFloating(x) ? f(x) : x;
}

/** An operation as a function that is compiled, once for arguments that differ in floating numbers only. */
function compiled(f: LawfulOperation): LawfulOperation {
  const known = new Map<string, (...xs: Value[]) => unknown>();
  const call = (...args: unknown[]) => {
    const leaves: Value[] = [];
    const form = replaced(args, (x) => {
      leaves.push(x);
      return `${x.dtype} [${x.shape}]`;
    });
    const key = JSON.stringify(form, (_, x: unknown) => (typeof x === "function" ? String(x) : x));
    let g = known.get(key);
    if (g === undefined) {
      g = compile((...xs: Value[]) => {
        const rest = xs[Symbol.iterator]();
        return f(...(replaced(args, () => rest.next().value) as never[]));
      });
      known.set(key, g);
    }
    return g(...leaves);
  };
  // Tensors, and arguments of two kinds: every sample costs many compilations.
  const [from, to] = f.definition.operation?.elementwise ? [1, 2] : [0, 2];
  const samples = (draw: Draw) => f.definition.samples(draw).slice(from, to);
  return Object.assign(call, {
    definition: { ...f.definition, operation: null, samples },
  }) as LawfulOperation;
}

describe("compiled operations obey the laws", () => {
  test.each(operations.map((f) => [f.definition.name, f] as const))("%s", (_, f) => {
    const violations = checkLaws(compiled(f), { points: 1 });
    expect(violations.map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
  });
});
