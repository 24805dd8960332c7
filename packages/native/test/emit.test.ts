import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  clip,
  cond,
  exp,
  floor,
  foriLoop,
  grad,
  gt,
  hessian,
  hvp,
  jacobian,
  lgamma,
  log,
  lt,
  matmul,
  maximum,
  mod,
  mul,
  parameter,
  polygamma,
  pow,
  scan,
  sigmoid,
  silu,
  sin,
  softmax,
  softplus,
  sort,
  sum,
  take,
  tanh,
  type Value,
  value,
  valueAndGrad,
  whileLoop,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { valuesIn } from "../../compiler/test/agreement.ts";
import { type Derivative, emitC } from "../src/index.ts";
import { findCompiler } from "../src/system/compiler.ts";

const [compiler] = findCompiler(undefined, 60_000).command as [string];
const STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g"];
const SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** What the example of a header prints: it is compiled as it says, strictly, and run where every misstep is an error. */
function runExample({ source, header }: { source: string; header: string }, name: string): number[] {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
  try {
    const example = header
      .slice(header.indexOf("#include <stdio.h>"), header.indexOf(" */"))
      .replaceAll(/^ \* {3}/gm, "");
    writeFileSync(join(folder, `${name}.h`), header);
    writeFileSync(join(folder, `${name}.c`), source);
    writeFileSync(join(folder, "main.c"), example);
    const files = ["main.c", `${name}.c`, "-lm", "-o", "main"];
    execFileSync(compiler, [...STRICT, ...SANITIZED, ...files], { cwd: folder, stdio: "pipe" });
    const printed = execFileSync(join(folder, "main"), { encoding: "utf8" });
    return printed
      .trim()
      .split("\n")
      .map((line) =>
        Number(
          line
            .slice(line.indexOf("=") + 1)
            .replace("-nan", "nan")
            .replace("inf", "Infinity"),
        ),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function expectNear(actual: readonly number[], expected: readonly Value[], bound = 1e-12): void {
  const numbers = expected.flatMap((y) => Array.from(y.data));
  expect(actual.length).toBe(numbers.length);
  numbers.forEach((y, i) => {
    if (Number.isNaN(y)) expect(actual[i]).toBeNaN();
    else expect(Math.abs((actual[i] as number) - y)).toBeLessThanOrEqual(bound * Math.max(1, Math.abs(y)));
  });
}

type F = (...xs: Value[]) => Value;

const weights = parameter([
  [0.5, -1, 2],
  [1, 0.25, -0.5],
]);
const squaring: F = (x) =>
  whileLoop(
    (y) => lt(sum(y), 100),
    (y) => mul(y, y),
    x,
  );
const cases: Record<string, [f: F, xs: Value[]]> = {
  "elementwise operations": [
    (x, y) => sum(mul(sin(x), exp(y)).add(log(x)).add(pow(x, y))),
    [value([0.5, 1.5, 2.5]), value([0.1, -0.2, 0.3])],
  ],
  float32: [(x) => sum(tanh(x)), [value(Float32Array.of(0.1, -0.7, 3), { shape: [3] })]],
  "choices and roundings": [
    (x) => sum(maximum(clip(x, -1, 1), mul(floor(x), 0.5)).add(mod(x, 0.7))),
    [value([-2.5, -0.3, 0.4, 1.7])],
  ],
  "products with parameters from outside": [
    (x) => sum(softmax(matmul(weights, x), 0).square()),
    [value([[0.1], [0.2], [0.3]])],
  ],
  "a scan": [
    (x) =>
      sum(scan((h: Value, e: Value) => [tanh(h.mul(0.5).add(e)), h] as const, value(0.1), x)[1] as Value),
    [value([0.2, 0.4, -0.3])],
  ],
  "an unbounded loop, whose reverse keeps a stack": [(x) => sum(squaring(x)), [value([1.2, 1.5])]],
  "a bounded loop": [(x) => sum(foriLoop(0, 5, (_, y) => sin(add(y, 1)), x)), [value([0.3, 0.6])]],
  "a branch": [
    (x) =>
      cond(
        gt(sum(x), 1),
        (x) => sum(x.square()),
        (x) => sum(x),
        x,
      ),
    [value([0.7, 0.6])],
  ],
  "indices from data": [(x) => sum(take(x, value(Int32Array.of(2, 0, 2)), 0).square()), [value([1, 2, 3])]],
  "scalars, which are passed by value": [
    (x, scale) => sum(x.mul(scale).square()),
    [value([1, 2, 3]), value(0.25)],
  ],
  "functions that the C library lacks": [
    (x) => sum(sigmoid(x).add(silu(x)).mul(softplus(x))),
    [value([-800, -2.5, 0.4, 1.7, 800])],
  ],
  "a library function that only C has": [(x) => sum(lgamma(x)), [value([0.5, 3.5])]],
};

describe("emitC", () => {
  test.each(Object.entries(cases))("of a function: %s", (_, [f, xs]) => {
    const emitted = emitC(f, xs, { name: "f" });
    expectNear(runExample(emitted, "f"), [f(...xs)], xs[0]?.dtype === "float32" ? 1e-6 : 1e-12);
  });

  test.each(Object.entries(cases).filter(([title]) => !title.startsWith("a library")))(
    "of its gradient: %s",
    (_, [f, xs]) => {
      const emitted = emitC(f, xs, { name: "df", derivative: "gradient" });
      const both = valueAndGrad(f as never, { argnums: [...xs.keys()] }) as unknown as (
        ...xs: Value[]
      ) => unknown;
      expectNear(runExample(emitted, "df"), valuesIn(both(...xs)), xs[0]?.dtype === "float32" ? 1e-6 : 1e-12);
    },
  );

  const rosenbrock: F = (x) => {
    const [a, b] = [take(x, 0, 0), take(x, 1, 0)];
    return add(mul(100, b.sub(a.square()).square()), value(1).sub(a).square());
  };
  const at = value([-1.2, 1]);

  test("of a Jacobian, a Hessian, and its product with a direction", () => {
    const curve: F = (x) => mul(sin(x), sum(x));
    const expected: [Derivative, F, Value[]][] = [
      ["jacobian", curve, [curve(at), jacobian(curve)(at)]],
      ["hessian", rosenbrock, [rosenbrock(at), hessian(rosenbrock)(at)]],
      ["hvp", rosenbrock, [hvp(rosenbrock, at, at)]],
    ];
    for (const [derivative, f, values] of expected) {
      expectNear(runExample(emitC(f, [at], { name: "d", derivative }), "d"), values);
    }
  });

  test("of many numbers works in memory that it takes, and gives back", () => {
    const f: F = (x) =>
      sum(tanh(matmul(x.add(value(new Float64Array(10_000).fill(0.5), { shape: [100, 100] })), x)));
    const x = value(new Float64Array(10_000), { shape: [100, 100] });
    const emitted = emitC(grad(f) as F, [x], { name: "large" });
    expect(emitted.source).toContain("malloc(");
    expectNear(runExample(emitted, "large"), [grad(f)(x)]);
  });

  test("names arguments as the function does, or as it is told, and never as C does not allow", () => {
    const declared = (f: (...xs: never[]) => unknown, names?: string[]) =>
      emitC(f, [1, 2], { name: "f", ...(names && { names }) }).header.match(/^int f\(.*\);$/m)?.[0];
    expect(declared((mass: Value, speed: Value) => mass.mul(speed))).toBe(
      "int f(double mass, double speed, double *value);",
    );
    expect(declared((int: Value, r1: Value) => int.mul(r1))).toBe(
      "int f(double int_, double r1_, double *value);",
    );
    expect(declared((...xs: Value[]) => (xs[0] as Value).mul(xs[1] as Value))).toBe(
      "int f(double x0, double x1, double *value);",
    );
    expect(declared((a: Value, b: Value) => a.mul(b), ["left_side", "right_side"])).toBe(
      "int f(double left_side, double right_side, double *value);",
    );
  });

  const messageOf = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };

  test("refuses what C has no code for, and names that are none", () => {
    expect(messageOf(() => emitC(sort as never, [[3, 1, 2]], { name: "f" }))).toMatch(
      /^emitC: every operation must have C code, got \w+\. Compute that outside, and pass it as an argument\.$/,
    );
    expect(
      messageOf(() => emitC(((x: Value) => polygamma(2, x)) as never, [[3, 1, 2]], { name: "f" })),
    ).toMatch(/^emitC: every operation must have C code, got polygamma/);
    expect(messageOf(() => emitC(sin as never, [1], { name: "3f" }))).toBe(
      'emitC: name must be one that C has for functions, got "3f".',
    );
    expect(messageOf(() => emitC(() => value(1), [], { name: "f", derivative: "gradient" }))).toBe(
      "emitC: the first argument of what is differentiated must be floating, got no arguments.",
    );
  });
});
