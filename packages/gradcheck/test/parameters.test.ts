import { matmul, mul, parameter, random, relu, stopGradient, sum, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { gradcheckParameters } from "../src/index.ts";

/** A perceptron with one hidden layer, its loss on four inputs, and its parameters. */
function perceptron(dtype: "float64" | "float32") {
  const draw = (seed: number, shape: number[]) => random.normal(random.key(seed), shape, { dtype }).data;
  const w = parameter(draw(1, [30, 20]), { shape: [30, 20], label: "hidden.weight" });
  const b = parameter(draw(2, [30, 1]), { shape: [30, 1], label: "hidden.bias" });
  const x = random.normal(random.key(3), [20, 4], { dtype });
  const loss = (bias: Value = b) => relu(matmul(w, x).add(bias)).logSumExp(0).mean();
  return { w, b, loss };
}

test("gradcheckParameters passes a perceptron, in both dtypes, from a sample of its entries", () => {
  for (const dtype of ["float64", "float32"] as const) {
    const { w, b, loss } = perceptron(dtype);
    const report = gradcheckParameters(() => loss(), [w, b]);
    expect(report.passed).toBe(true);
    expect(report.checked).toBe(62);
  }
});

test("gradcheckParameters chooses the same entries for the same seed, and others for another", () => {
  const { w, b, loss } = perceptron("float64");
  const wrong = () => loss(stopGradient(b)).add(stopGradient(sum(w)));
  const indices = (seed: number) =>
    gradcheckParameters(wrong, [w], { seed, maxEntries: 3 }).failures.map(({ index }) => index);
  expect(indices(1)).toEqual(indices(1));
  expect(indices(1)).not.toEqual(indices(2));
});

test("gradcheckParameters names a parameter that no gradient reaches", () => {
  const { w, b, loss } = perceptron("float64");
  const report = gradcheckParameters(() => loss(stopGradient(b)), [w, b]);
  expect(report.passed).toBe(false);
  expect(report.worst).toMatchObject({ input: "hidden.bias", analytic: 0, cause: "missing" });
});

test("gradcheckParameters leaves data and gradients of all parameters as they were", () => {
  const w = parameter([1, 2], { label: "w" });
  const scale = parameter(3);
  const other = parameter(5);
  const before = value([7, 8]);
  w.grad = before;
  const { data } = w;
  const report = gradcheckParameters(() => sum(mul(mul(w, scale), other)), [w, scale]);
  expect(report.passed).toBe(true);
  expect(w.grad).toBe(before);
  expect(w.data).toBe(data);
  expect(w.toArray()).toEqual([1, 2]);
  expect(scale.item()).toBe(3);
  expect(scale.grad).toBeNull();
  expect(other.grad).toBeNull();
});

test("gradcheckParameters restores parameters when the loss throws", () => {
  const w = parameter([1, 2]);
  const before = value([7, 8]);
  w.grad = before;
  let calls = 0;
  const loss = () => {
    if (++calls > 5) throw new Error("out of luck");
    return sum(mul(w, w));
  };
  expect(() => gradcheckParameters(loss, [w])).toThrow(new Error("out of luck"));
  expect(w.toArray()).toEqual([1, 2]);
  expect(w.grad).toBe(before);
});

test("gradcheckParameters refuses what is no parameter, and a loss that is no scalar", () => {
  const w = parameter([1, 2]);
  expect(() => gradcheckParameters(() => sum(w), [value([1, 2])])).toThrow(
    "gradcheckParameters: parameters must be made by parameter(), got a value of shape [2].",
  );
  expect(() => gradcheckParameters(() => mul(w, 2), [w])).toThrow(
    "gradcheckParameters: the loss must be a scalar, got shape [2]. Reduce it, for example with mean().",
  );
});
