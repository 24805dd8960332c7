import { compile, explain, interpret } from "@adjoint/compiler";
import { parameter, value } from "@adjoint/core";
import { expect, test } from "vitest";

test("interpret explains a program by its graph", () => {
  const w = parameter([1, 2], { label: "w" });
  const f = compile((x, n) => x.mul(n).add(w), { target: interpret });
  f(value([1, 2]), 3);
  expect(explain(f)).toBe(
    [
      "(float64 [2], number)",
      "graph (%0 : float64 [2], %1 : float64 [], %2 : float64 [2]) {",
      "  %3 = mul(%0, %1) : float64 [2]",
      "  %4 = add(%3, %2) : float64 [2]",
      "  return %4",
      "}",
    ].join("\n"),
  );
});
