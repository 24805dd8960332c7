import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  cast,
  clip,
  concat,
  cond,
  cos,
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
  slice,
  softmax,
  softplus,
  sort,
  stack,
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
import { type Derivative, type Emitted, emitC } from "../src/index.ts";
import { findCompiler } from "../src/system/compiler.ts";

const [compiler] = findCompiler(undefined, 60_000).command as [string];
const STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g"];
const SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** Hands a folder to a function, and removes it. */
function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The program that a header has as an example. */
function exampleIn(header: string): string {
  return header
    .slice(header.indexOf("#include <stdio.h>"), header.indexOf(" */"))
    .replaceAll(/^ \* {3}/gm, "");
}

/** What the example of a header prints: it is compiled as it says, strictly, and run where every misstep is an error. */
function linesOf({ source, header }: Emitted, name: string): string[] {
  return inFolder((folder) => {
    writeFileSync(join(folder, `${name}.h`), header);
    writeFileSync(join(folder, `${name}.c`), source);
    writeFileSync(join(folder, "main.c"), exampleIn(header));
    const files = ["main.c", `${name}.c`, "-lm", "-o", "main"];
    execFileSync(compiler, [...STRICT, ...SANITIZED, ...files], { cwd: folder, stdio: "pipe" });
    const printed = execFileSync(join(folder, "main"), { encoding: "utf8" }).trim();
    return printed === "" ? [] : printed.split("\n");
  });
}

/** The number that a line says. */
function numberIn(line: string): number {
  return Number(
    line
      .slice(line.indexOf("=") + 1)
      .replace("-nan", "nan")
      .replace("inf", "Infinity"),
  );
}

function runExample(emitted: Emitted, name: string): number[] {
  return linesOf(emitted, name).map(numberIn);
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

  describe("of a sparse derivative writes the entries that are not 0 for sure, and tells where they are", () => {
    const differences: F = (x) => {
      const [a, b] = [slice(x, [0, -1]), slice(x, [1, null])];
      return sin(mul(a, b)).sub(b);
    };
    const jacobians: Record<string, [f: F, xs: Value[], nonzeros: number]> = {
      "more columns than rows": [differences, [value([0.1, 0.2, 0.3, 0.7, 0.5])], 8],
      "more rows than columns, some of them empty": [
        (x) => concat([x.square(), value([1, 2]), differences(x), floor(x)], 0),
        [value([0.1, 0.2, 0.3])],
        3 + 4,
      ],
      "columns without entries": [(x) => slice(x, [1, 3]).exp(), [value([0.1, 0.2, 0.3, 0.4])], 2],
      "no entries at all": [(x) => floor(x), [value([0.5, 1.5])], 0],
      "no rows": [(x) => slice(x, [0, 0]).exp(), [value([0.5, 1.5])], 0],
      "no columns": [(x) => concat([x, value([1, 2])], 0), [value([])], 0],
      "a scalar": [(x) => concat([x.reshape([1]), value([1])], 0).exp(), [value(0.3)], 1],
      "matrices, in float32": [
        (x, y) => matmul(x, y),
        [
          value(Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [3, 2] }),
          value(Float32Array.of(0.5, -1, 0.25, 2), { shape: [2, 2] }),
        ],
        3 * 2 * 2,
      ],
      "further arguments, among them places that are known only when it runs": [
        (x, scale, places) => concat([mul(x, scale), take(x, places, 0)], 0),
        [value([0.1, 0.2, 0.3]), value(2), value(Int32Array.of(2, 0))],
        3 + 2 * 3,
      ],
    };
    test.each(Object.entries(jacobians))("a Jacobian with %s", (_, [f, xs, nonzeros]) => {
      const emitted = emitC(f, xs, { name: "sparse", derivative: "sparseJacobian" });
      expect(emitted.header).toContain(`sparse_nonzeros = ${nonzeros} }`);
      expectEntries(
        emitted,
        f(...xs),
        jacobian((x: Value) => f(x, ...xs.slice(1)))(xs[0] as Value),
        nonzeros,
      );
    });

    test("a Hessian", () => {
      const f: F = (x, scale) => sum(mul(differences(x).square(), scale));
      const [x, scale] = [value([0.1, 0.2, 0.3, 0.7, 0.5]), value(0.7)];
      const emitted = emitC(f, [x, scale], { name: "sparse", derivative: "sparseHessian" });
      expectEntries(emitted, f(x, scale), hessian((x: Value) => f(x, scale))(x), 5 + 2 * 4);
    });

    test("and computes no more than a column a colour", () => {
      const n = 1000;
      const { source } = emitC(differences, [new Float64Array(n)], {
        name: "sparse",
        derivative: "sparseJacobian",
      });
      const sizes = Array.from(source.matchAll(/\b(?:buffer|constant)\d+\[(\d+)\]/g), ([, size]) =>
        Number(size),
      );
      expect(Math.max(...sizes)).toBe(2 * n - 2);
    });

    /** Runs an example that prints the value, and the entries with their rows and columns. */
    function expectEntries(emitted: Emitted, y: Value, matrix: Value, nonzeros: number): void {
      const lines = linesOf(emitted, "sparse");
      const entries = lines.slice(y.size).map((line) => {
        const [, row, column] = /^(?:jacobian|hessian)\[(\d+)\]\[(\d+)\] = /.exec(line) as RegExpExecArray;
        return { row: Number(row), column: Number(column), entry: numberIn(line) };
      });
      expect(entries.length).toBe(nonzeros);
      const columns = Number(/sparse_columns = (\d+)/.exec(emitted.header)?.[1]);
      const dense = new Array<number>(matrix.size).fill(0);
      for (const { row, column, entry } of entries) dense[row * columns + column] = entry;
      const bound = y.dtype === "float32" ? 1e-6 : 1e-12;
      expectNear([...lines.slice(0, y.size).map(numberIn), ...dense], [y, matrix], bound);
    }
  });

  const below = value([
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 1],
  ]);
  /** Functions that use much of what generated code is made of. */
  const varied: Record<string, Emitted> = {
    arm: emitC(
      (angles: Value, lengths: Value) => {
        const sums = matmul(below, angles);
        return stack([sum(mul(lengths, cos(sums))), sum(mul(lengths, sin(sums)))], 0);
      },
      [
        [0.1, 0.2, 0.3],
        [1, 0.8, 0.5],
      ],
      { name: "arm", derivative: "sparseJacobian" },
    ),
    layer: emitC(
      (w: Value, b: Value, x: Value, n: Value) => sum(tanh(matmul(x, w).add(b)).pow(n)),
      [
        [
          [0.1, 0.2],
          [0.3, 0.4],
        ],
        [0.1, 0.2],
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        value(3),
      ],
      { name: "layer", derivative: "gradient" },
    ),
    many: emitC(
      (x: Value) => [gt(x, 1), cast(x, "int32"), mod(x, 3), maximum(x, 0.5)] as const,
      [[0.1, 2, 3]],
      {
        name: "many",
      },
    ),
    loops: emitC((x: Value) => sum(squaring(x)), [[1.2, 1.5]], { name: "loops", derivative: "gradient" }),
  };
  const isThere = (program: string) => spawnSync(program, ["--version"]).status === 0;
  const WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

  /** Writes the files of some functions, and their examples in a language; runs commands on them that must say nothing. */
  function expectSilent(language: "c" | "cpp", emitted: Record<string, Emitted>, commands: string[][]): void {
    inFolder((folder) => {
      for (const [name, { source, header }] of Object.entries(emitted)) {
        writeFileSync(join(folder, `${name}.h`), header);
        writeFileSync(join(folder, `${name}.c`), source);
        writeFileSync(join(folder, `main_${name}.${language}`), exampleIn(header));
      }
      for (const [command, ...rest] of commands as [string, ...string[]][]) {
        const { status, stderr } = spawnSync(command, rest, { cwd: folder, encoding: "utf8" });
        expect([status, stderr]).toEqual([0, ""]);
      }
    });
  }

  test.each(["gcc", "clang"].filter(isThere))("is C99 of which %s says nothing", (command) => {
    const files = Object.keys(varied).flatMap((name) => [`${name}.c`, `main_${name}.c`]);
    expectSilent("c", varied, [[command, "-std=c99", "-O2", ...WARNINGS, "-c", ...files]]);
  });

  test.each(["g++", "clang++"].filter(isThere))("has headers that %s reads", (command) => {
    const { arm } = varied as { arm: Emitted };
    expectSilent("cpp", { arm }, [
      [compiler, "-std=c99", "-c", "arm.c"],
      [command, "-std=c++11", ...WARNINGS, "main_arm.cpp", "arm.o", "-lm", "-o", "main"],
      ["./main"],
    ]);
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
    expect(declared((b1: Value, c1: Value) => b1.mul(c1))).toBe(
      "int f(double b1, double c1, double *value);",
    );
    expect(declared((a: Value, b: Value) => a.mul(b), ["value", "template"])).toBe(
      "int f(double value_, double template_, double *value);",
    );
    expect(declared((x1: Value, ...[b]: [Value]) => x1.mul(b))).toBe(
      "int f(double x1, double x1_, double *value);",
    );
    expect(declared((a: Value, b: Value) => a.mul(b), ["x1", "no name"])).toBe(
      "int f(double x1, double x1_, double *value);",
    );
    expect(declared((a: Value, b: Value) => a.mul(b), ["f", "a"])).toBe(
      "int f(double f_, double a, double *value);",
    );
    expect(declared((...xs: Value[]) => (xs[0] as Value).mul(xs[1] as Value))).toBe(
      "int f(double x0, double x1, double *value);",
    );
    expect(declared((a: Value, b: Value) => a.mul(b), ["left_side", "right_side"])).toBe(
      "int f(double left_side, double right_side, double *value);",
    );
  });

  test("gives arguments names that generated code does not use itself", () => {
    const f: F = (a, b, c, n) =>
      sum(
        squaring(
          matmul(exp(a), a)
            .add(mod(b, c))
            .add(maximum(b, floor(c)).mul(n)),
        ),
      ).add(cast(cast(n, "int32"), "float64"));
    const xs = [
      value([
        [0.5, 0.25],
        [0.75, 1],
      ]),
      value([0.5, 1]),
      value([0.25, 1.5]),
      value(1.25),
    ];
    const lists = [
      ["exp", "mod", "floor", "n_"],
      ["memcpy", "n_", "left", "n"],
      ["stack0", "reserve", "to_int32", "max_f64"],
      ["buffer1", "constant0", "k_", "k"],
      ["r1", "i0", "p0", "steps"],
      ["int", "value", "f", "template"],
    ];
    const emitted = Object.fromEntries(
      lists.map((names, i) => [`named${i}`, emitC(f, xs, { name: `named${i}`, names })]),
    );
    const files = Object.keys(emitted).flatMap((name) => [`${name}.c`, `main_${name}.c`]);
    expectSilent("c", emitted, [[compiler, "-std=c99", ...WARNINGS, "-Wshadow", "-fsyntax-only", ...files]]);
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
      'emitC: name must be one that C has for functions, and that its library leaves free, got "3f".',
    );
    expect(messageOf(() => emitC(sin as never, [1], { name: "sin" }))).toContain('leaves free, got "sin".');
    expect(messageOf(() => emitC(sin as never, [1], { name: "f", derivative: "grad" as never }))).toBe(
      'emitC: derivative must be one of value, gradient, jacobian, hessian, sparseJacobian, sparseHessian, hvp, got "grad".',
    );
    expect(
      messageOf(() => emitC(sin as never, [1], { name: "f", derivatives: "gradient" } as never)),
    ).toContain("Did you mean derivative?");
    expect(messageOf(() => emitC(() => value(1), [], { name: "f", derivative: "gradient" }))).toBe(
      "emitC: the first argument of what is differentiated must be floating, got no arguments.",
    );
  });
});
