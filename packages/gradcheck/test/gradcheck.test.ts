import {
  abs,
  add,
  cast,
  exp,
  log,
  matmul,
  mul,
  random,
  relu,
  sign,
  sin,
  softmax,
  sqrt,
  stopGradient,
  sub,
  take,
  tanh,
  type Value,
  value,
} from "@adjoint/core";
import { expect, test } from "vitest";
import { assertGradients, GradientError, gradcheck } from "../src/index.ts";

/** f whose gradient is that of `part` alone. */
const flattened = (f: Value, part: Value): Value => add(part, stopGradient(sub(f, part)));

test("gradcheck passes a right function and counts its derivatives", () => {
  const report = gradcheck((x, y) => mul(sin(x), y), [value([1, 2]), 3]);
  expect(report.passed).toBe(true);
  expect(report.checked).toBe(6);
  expect(report.failures).toEqual([]);
  expect(report.worst?.error).toBeLessThan(1e-10);
  expect(report.worst?.cause).toBeNull();
  expect(report.toString()).toMatch(
    /^gradcheck: passed, 3 entries of 2 inputs; worst error \S+, tolerance \S+, at inputs\[0\]\[0\] of output\[0\]$/,
  );
});

test("gradcheck takes trees, returns of trees, and passes integers on", () => {
  const f = (model: { weight: Value; biases: Value[] }, picks: Value) => ({
    logits: matmul(model.weight, model.biases[0] as Value),
    picked: take(exp(model.biases[0] as Value), picks),
  });
  const model = {
    weight: value([
      [1, 2],
      [3, 4],
    ]),
    biases: [value([0.1, 0.2])],
  };
  const report = gradcheck(f, [model, value([1, 0, 1], { dtype: "int32" })], { order: 2 });
  expect(report.passed).toBe(true);
});

test("gradcheck names the entry, the output, both numbers and the likely cause", () => {
  const x = value(
    [
      [0.5, 1],
      [1.5, 2],
    ],
    { label: "x" },
  );
  const hide = value([
    [1, 1],
    [1, 0],
  ]);
  const report = gradcheck((x) => flattened(exp(x), mul(exp(x), hide)).sum(), [x]);
  expect(report.failureCount).toBe(1);
  const { worst } = report;
  expect(worst).toMatchObject({
    input: "inputs[0] (x)",
    index: [1, 1],
    output: null,
    order: 1,
    cause: "wrong",
  });
  expect(worst?.analytic).toBe(0);
  expect(worst?.numeric).toBeCloseTo(Math.exp(2), 9);
  expect(worst?.error).toBeCloseTo(Math.exp(2), 9);
});

test("gradcheck recognises a missing gradient, a sign and a factor", () => {
  const x = value([1, 2, 4]);
  const cause = (f: (x: Value) => Value) => gradcheck(f, [x]).worst?.cause;
  expect(cause((x) => stopGradient(sin(x)))).toBe("missing");
  expect(cause((x) => flattened(sin(x), mul(sin(x), -1)))).toBe("sign");
  expect(cause((x) => flattened(sin(x), mul(sin(x), 0.5)))).toBe("factor 0.5");
  expect(cause((x) => flattened(sin(x), mul(sin(x), 3)).sum())).toBe("factor 3");
  expect(cause((x) => flattened(sin(x), x).sum())).toBe("wrong");
});

test("gradcheck of one number claims a factor only where it is a simple one", () => {
  const cause = (k: number) => gradcheck((x: Value) => flattened(exp(x), mul(exp(x), k)), [1]).worst?.cause;
  expect(cause(2)).toBe("factor 2");
  expect(cause(0.25)).toBe("factor 0.25");
  expect(cause(1.2345)).toBe("wrong");
});

test("gradcheck tells a kink at the point from one near it", () => {
  const at = gradcheck((x) => relu(x), [value([0, 1])]);
  expect(at.worst).toMatchObject({ index: [0], cause: "kink nearby" });
  expect(at.worst?.explanation).toBe("the slope is 0 on the left and 1 on the right");
  // Steps shrink until the kink is outside them.
  expect(gradcheck((x) => abs(x), [value([1e-3, 1e-5, 1e-9])]).passed).toBe(true);
  // 0 is the slope between left and right there, which is the convention.
  expect(gradcheck((x) => abs(x), [0]).passed).toBe(true);
});

test("gradcheck recognises a jump, and passes beside it", () => {
  expect(gradcheck((x) => add(sign(x), x), [0]).worst?.cause).toBe("discontinuity nearby");
  expect(gradcheck((x) => x.gt(0).cast("float64").add(x), [0]).worst?.cause).toBe("discontinuity nearby");
  expect(gradcheck((x) => add(sign(x), x), [1e-4]).passed).toBe(true);
});

test("gradcheck recognises noise that does not settle", () => {
  // The argument changes by more than a period from one float64 to the next: as good as random, but repeatable.
  const hash = (x: Value) => value(Math.sin(x.item() * 1e17));
  // A little is within the numeric derivative's own estimate; more is not forgiven.
  expect(gradcheck((x) => add(x, mul(hash(x), 1e-6)), [0.7]).passed).toBe(true);
  const report = gradcheck((x) => add(x, mul(hash(x), 0.1)), [0.7]);
  expect(report.worst?.cause).toBe("no convergence");
  expect(report.deterministic).toBe(true);
});

test("gradcheck recognises functions that are not functions", () => {
  let calls = 0;
  const report = gradcheck((x) => mul(x, 1 + 1e-3 * calls++), [value([1, 3])]);
  expect(report.passed).toBe(false);
  expect(report.deterministic).toBe(false);
  expect(report.worst?.cause).toBe("non-deterministic function");
  const slight = gradcheck((x) => add(x, 1e-15 * calls++), [1]);
  expect(slight.passed).toBe(false);
  expect(slight.toString()).toMatch(
    /^gradcheck: FAILED, .*two evaluations of the function at the same point differ/,
  );
});

test("gradcheck recognises values and derivatives that are not finite", () => {
  const at = (x: number, f: (x: Value) => Value) => gradcheck(f, [x]).worst;
  expect(at(-1, (x) => log(x))).toMatchObject({
    cause: "non-finite",
    explanation: "the function is NaN at this point",
  });
  expect(at(0, (x) => sqrt(x))).toMatchObject({
    cause: "non-finite",
    explanation: "the analytic derivative is Infinity",
  });
  expect(at(0, (x) => mul(x, sqrt(x)))).toMatchObject({
    cause: "non-finite",
    explanation: "the function is not finite just below this point",
  });
});

test("gradcheck suits its steps to large, small, oscillating and cancelling functions", () => {
  const passes = (f: (x: Value) => Value, ...xs: number[]) => gradcheck(f, [value(xs)]).passed;
  expect(passes((x) => sin(x), 1e8, 1e6)).toBe(true);
  expect(passes((x) => mul(x, x), 1e8, -1e150)).toBe(true);
  expect(passes((x) => log(x), 1e-8, 1e-30)).toBe(true);
  expect(passes((x) => exp(x), 300, -300)).toBe(true);
  expect(passes((x) => sin(mul(x, 1e5)), 1, 3)).toBe(true);
  expect(passes((x) => sub(add(x, 1), 1), 1e-8)).toBe(true);
  expect(passes((x) => sub(mul(add(x, 1e4), add(x, 1e4)), 1e8), 1e-3)).toBe(true);
  // A bump narrower than the first steps, on a slope.
  expect(passes((x) => add(x, mul(exp(mul(mul(x, x), -1e10)), 1e-3)), 5e-6)).toBe(true);
});

test("gradcheck still catches a wrong derivative at those scales", () => {
  const fails = (f: (x: Value) => Value, x: number) =>
    !gradcheck((x) => flattened(f(x), mul(f(x), 1.01)), [x]).passed;
  expect(fails((x) => sin(x), 1e8)).toBe(true);
  expect(fails((x) => log(x), 1e-8)).toBe(true);
  expect(fails((x) => sin(mul(x, 1e5)), 1)).toBe(true);
});

test("gradcheck does not pass what rounding hides altogether", () => {
  const report = gradcheck((x) => add(mul(x, 1e-3), 1e12), [value([1, 3])]);
  expect(report.failureCount).toBe(0);
  expect(report.undecided).toBeGreaterThan(0);
  expect(report.passed).toBe(false);
});

test("gradcheck of float32 evaluates in float32, and says so where that may be the cause", () => {
  const x = value([1, 3, 1e-3], { dtype: "float32" });
  expect(gradcheck((x) => mul(sin(x), exp(x)), [x], { order: 2 }).passed).toBe(true);
  const inside = gradcheck((x) => cast(sin(cast(x, "float32")), "float64"), [value([1, 3])]);
  expect(inside.passed).toBe(true);
  const strict = gradcheck((x) => softmax(x), [x], { rtol: 0, atol: 0, safety: 0 });
  expect(strict.worst?.cause).toBe("float32");
});

test("gradcheck with order 2 finds a gradient that cannot be differentiated", () => {
  // The right slope, but as a constant factor.
  const f = (x: Value) => add(mul(x, stopGradient(mul(x, 2))), stopGradient(mul(mul(x, x), -1)));
  expect(gradcheck(f, [value([1, 2])]).passed).toBe(true);
  const report = gradcheck(f, [value([1, 2])], { order: 2 });
  expect(report.worst).toMatchObject({ order: 2, cause: "missing" });
  expect(report.toString()).toContain("inputs[0][1] (second order)");
});

test("gradcheck checks large inputs along random directions and finds the worst entry", () => {
  const w = random.normal(random.key(1), [40, 50], { dtype: "float64" });
  const x = random.normal(random.key(2), [50, 3], { dtype: "float64" });
  const f = (w: Value, x: Value) => tanh(matmul(w, x));
  const right = gradcheck(f, [w, x], { order: 2 });
  expect(right.passed).toBe(true);
  expect(right.checked).toBe(8);
  const wrong = gradcheck((w, x) => add(f(w, x).sum(), stopGradient(sin(w.slice(7, 3)))), [w, x]);
  expect(wrong.worst).toMatchObject({ input: "inputs[0]", index: [7, 3], cause: "wrong" });
  expect(wrong.worst?.error).toBeCloseTo(Math.abs(Math.cos(w.slice(7, 3).item())), 6);
  const scaled = gradcheck((w, x) => flattened(f(w, x), mul(f(w, x), 2)), [w, x], { maxEntries: 0 });
  expect(scaled.worst?.cause).toBe("factor 2");
});

test("gradcheck keeps a bounded number of failures, worst first", () => {
  const x = random.uniform(random.key(3), [30], { low: 1, high: 2, dtype: "float64" });
  const report = gradcheck((x) => stopGradient(mul(x, x)).sum(), [x], { maxFailures: 4 });
  expect(report.failureCount).toBe(30);
  expect(report.failures).toHaveLength(4);
  expect(report.toString()).toContain("  and 26 more");
});

test("gradcheck leaves its inputs alone and repeats itself for the same seed", () => {
  const x = value([
    [1, 2],
    [3, 4],
  ]);
  const { data } = x;
  const run = (seed: number) => gradcheck((x) => sin(matmul(x, x)), [x], { maxOutputs: 1, seed }).worst;
  expect(run(1)).toEqual(run(1));
  expect(run(1)?.analytic).not.toBe(run(2)?.analytic);
  expect(x.data).toBe(data);
  expect(Array.from(data)).toEqual([1, 2, 3, 4]);
});

test("gradcheck of nothing passes", () => {
  expect(gradcheck((x) => x.sum(), [value([], { shape: [0] })]).passed).toBe(true);
});

test("gradcheck refuses what it cannot check", () => {
  expect(() => gradcheck((x: Value) => x.gt(0), [1])).toThrow(
    "gradcheck: f must return a floating-point value, got none. Integers and comparisons have no derivative.",
  );
  expect(() => gradcheck((_x: Value) => "no", [1])).toThrow(
    'gradcheck: output must be a value, a number, or an array or plain object of them, got "no".',
  );
  expect(() => gradcheck(async (x: Value) => x, [1])).toThrow(
    "gradcheck: output must be a value, a number, or an array or plain object of them, got a Promise. An async function cannot be differentiated.",
  );
  expect(() => gradcheck((x: Value) => x, value(1) as never)).toThrow(
    "gradcheck: inputs must be an array of the function's arguments, got a object.",
  );
  expect(() => gradcheck((x: Value) => x, [1], { order: 3 as 2 })).toThrow(
    "gradcheck: order must be 1 or 2, got 3.",
  );
  expect(() => gradcheck((x: Value) => x, [1], { rtol: -1 })).toThrow("gradcheck: rtol must be ≥ 0, got -1.");
});

test("assertGradients passes silently and throws the report", () => {
  expect(assertGradients((x) => mul(x, x), [3])).toBeUndefined();
  const wrong = () => assertGradients((x) => flattened(mul(x, x), mul(mul(x, x), -1)), [value([1, 2])]);
  expect(wrong).toThrow(GradientError);
  try {
    wrong();
  } catch (error) {
    const { message, report } = error as GradientError;
    expect(report.failureCount).toBe(2);
    expect(message.split("\n")).toEqual([
      "assertGradients: analytic and numeric derivatives must agree.",
      "gradcheck: FAILED, 2 of 4 derivatives differ (2 entries of 1 input)",
      "",
      expect.stringMatching(/^ {2}worst at inputs\[0\]\[\d\] of output\[\d\]$/),
      expect.stringMatching(/^ {4}analytic {3}-[24]$/),
      expect.stringMatching(/^ {4}numeric {4}[24] ± \S+$/),
      expect.stringMatching(
        /^ {4}error {6}[48], tolerance \S+ \(1e-9 \+ 0\.000001·\|derivative\| \+ 5·estimate\)$/,
      ),
      "    cause      sign: analytic = −numeric for every entry of inputs[0]",
      "",
      "  derivative by              analytic  numeric  error  cause",
      expect.stringMatching(/^ {2}inputs\[0\]\[\d\] of output\[\d\] {8}-[24] {8}[24] {6}[48] {2}sign$/),
      expect.stringMatching(/^ {2}inputs\[0\]\[\d\] of output\[\d\] {8}-[24] {8}[24] {6}[48] {2}sign$/),
    ]);
  }
});

test("options that there are not are refused", () => {
  const square = (x: Value) => mul(x, x);
  expect(() => gradcheck(square, [3], { tolerance: 1 } as never)).toThrow(
    "gradcheck: options must be among atol, rtol, safety, seed, maxFailures, order, maxEntries, directions, maxOutputs, got tolerance.",
  );
  expect(() => assertGradients(square, [3], { max_outputs: 1 } as never)).toThrow("Did you mean maxOutputs?");
});
