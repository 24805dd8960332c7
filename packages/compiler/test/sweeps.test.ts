import { compile } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import { type DType, isValue, parameter, random, type Value, value } from "@adjoint/core";
import type { Defined } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

type Operation = Defined<(...xs: unknown[]) => Value>;

const elementwise = Object.values(core as Record<string, unknown>).filter(
  (f): f is Operation =>
    typeof f === "function" &&
    "definition" in f &&
    (f as Operation).definition.operation?.elementwise != null,
);

/** Gradients of a loss in which the operation's result and its inputs are used several times. */
function gradients(operation: Operation, args: readonly unknown[], compiled: boolean): unknown[] {
  const leaves = args.map((x) =>
    isValue(x) && (x.dtype === "float32" || x.dtype === "float64")
      ? parameter(x.data, { shape: x.shape })
      : x,
  );
  const parameters = leaves.filter((x): x is Value => isValue(x) && x.isParameter);
  const f = () => {
    const y = operation(...leaves);
    if (!y.isDifferentiable) return;
    const z = operation(...leaves)
      .mul(y)
      .add(y);
    parameters
      .reduce((sum, x) => sum.add(x.mul(0.1).sum()), z.sum())
      .mul(0.7)
      .backward();
  };
  (compiled ? compile(f, { target: "interpret" }) : f)();
  return parameters.map((x) => (x.grad === null ? null : Array.from((x.grad as Value).data)));
}

describe.each(["float32", "float64"] satisfies DType[])("a compiled sweep in %s", (dtype) => {
  test.each(elementwise.map((f) => [f.definition.name, f] as const))(
    "has the bits of the eager one: %s",
    (_, operation) => {
      let draws = 0;
      const samples = operation.definition.samples((shape, [low, high] = [-2, 2]) => {
        const key = random.fold(random.key(11), draws++);
        return value(random.uniform(key, shape, { low, high, dtype }).data, { shape, dtype });
      });
      for (const args of samples)
        expect(gradients(operation, args, true)).toEqual(gradients(operation, args, false));
    },
  );
});

test("a compiled sweep keeps each parameter's dtype where float32 and float64 meet", () => {
  const [a, b, s] = [parameter([1, 2], { dtype: "float32" }), parameter([3, 4]), parameter(0.5)];
  compile(() => a.mul(b).mul(s).sum().backward(), { target: "interpret" })();
  const found = [a, b, s].map(({ grad }) => [grad?.dtype, grad?.toArray()]);
  expect(found).toEqual([
    ["float32", [1.5, 2]],
    ["float64", [0.5, 1]],
    ["float64", 11],
  ]);
});
