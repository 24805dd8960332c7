/** What runs in the browser: the same as elsewhere, eager and compiled, under the page's policy. */

import { compile, explain, setWorkerUrl } from "@adjoint/compiler";
import * as m from "@adjoint/core";
import { random, type Value, value } from "@adjoint/core";
import { Adam, MLP, softmaxCrossEntropy } from "@adjoint/nn";
import fc from "fast-check";
import { wasm } from "../../src/targets/wasm/target.ts";
import { disagreement } from "../agreement.ts";
import { printProgram, programs } from "../programs.ts";
import { published } from "../published.ts";

/** What the page tells the server. */
export interface Report {
  readonly isolated: boolean;
  /** Whether `new Function` is forbidden, so that core runs on closures. */
  readonly strict: boolean;
  /** What went wrong in each part; null where nothing did. */
  readonly found: Readonly<Record<string, string | null>>;
}

/** How far two values are apart, relative to the largest element. */
function apart(a: Value, b: Value): number {
  let [worst, scale] = [0, 1e-30];
  a.data.forEach((x, i) => {
    const y = b.data[i] as number;
    worst = Math.max(worst, Math.abs(x - y));
    scale = Math.max(scale, Math.abs(y));
  });
  return worst / scale;
}

/** Throws where a compiled function is not the eager one, or its gradient. */
function same(f: (...xs: Value[]) => Value, ...xs: Value[]): void {
  const scalar = (...ys: Value[]) => m.sum(m.sin(f(...ys)));
  const compiled = compile((x: Value, y: Value) => [f(x, y), m.grad(scalar)(x, y)] as const);
  const [y, dx] = compiled(...(xs as [Value, Value]));
  const worst = Math.max(apart(y, f(...xs)), apart(dx, m.grad(scalar)(...xs)));
  const bound = xs[0]?.dtype === "float32" ? 1e-5 : 1e-12;
  if (!(worst <= bound)) throw new Error(`off by ${worst}:\n${explain(compiled as never)}`);
}

const drawn = (seed: number, shape: number[], dtype: "float32" | "float64") =>
  random.normal(random.key(seed), shape, { dtype });

/** A network trained for some steps: losses, and what its parameters became. */
function trained(isCompiled: boolean): Value[] {
  const model = new MLP([6, 16, 3], { activation: "tanh", seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 });
  const labels = value(Int32Array.from({ length: 12 }, (_, i) => i % 3));
  const f = (x: Value) => {
    optimizer.zeroGrad();
    const loss = softmaxCrossEntropy(model.forward(x), labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = isCompiled ? compile(f) : f;
  const losses = Array.from({ length: 20 }, (_, i) => step(drawn(i, [12, 6], "float32")));
  return [m.stack(losses), ...model.parameters().map((w) => m.add(w, 0))];
}

const isIsolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
setWorkerUrl("/worker.js");

const PARTS: Readonly<Record<string, () => void | Promise<void>>> = {
  elementwise() {
    for (const dtype of ["float64", "float32"] as const) {
      const [x, y] = [drawn(1, [7, 9], dtype), drawn(2, [9], dtype)];
      same((x, y) => m.mul(m.tanh(x), m.exp(y)), x, y);
      same((x, y) => m.where(m.gt(x, y), m.sigmoid(x), m.log1p(m.square(y))), x, y);
      same((x, y) => m.div(m.sum(m.sin(x), 0), m.add(2, m.cos(y))), x, y);
    }
  },
  products() {
    for (const dtype of ["float64", "float32"] as const) {
      same((a, b) => m.matmul(a, b), drawn(1, [33, 17], dtype), drawn(2, [17, 21], dtype));
      const [a, b] = [drawn(3, [3, 5, 8], dtype), drawn(4, [3, 8, 6], dtype)];
      same((a, b) => m.matmul(a, b), a, b);
    }
  },
  training() {
    const eager = trained(false);
    trained(true).forEach((y, i) => {
      const worst = apart(y, eager[i] as Value);
      if (!(worst < 1e-4)) throw new Error(`result ${i} is off by ${worst}`);
    });
  },
  async threads() {
    const f = (x: Value) => m.add(m.mul(x, x), 1);
    const x = drawn(5, [600_000], "float64");
    same((x) => f(x), x, x);
    if (!isIsolated) return;
    // A worker does it all.
    const { publish, call, until, done, result } = published(f, x);
    publish(2);
    if (!(await until(() => done() === 2, call))) throw new Error("no worker came");
    const expected = f(x).data;
    if (!result().every((y, i) => y === expected[i])) throw new Error("a worker's results are others");
  },
  "random programs"() {
    for (const program of fc.sample(programs(3), { numRuns: 150, seed: 2 })) {
      const found = disagreement(program, wasm);
      if (found !== null) throw new Error(`${found}\n${printProgram(program)}`);
    }
  },
};

function isStrict(): boolean {
  try {
    new Function("return 1")();
    return false;
  } catch {
    return true;
  }
}

const found: Record<string, string | null> = {};
for (const [name, run] of Object.entries(PARTS)) {
  try {
    await run();
    found[name] = null;
  } catch (error) {
    found[name] = String((error as Error).stack ?? error);
  }
}
const report: Report = { isolated: isIsolated, strict: isStrict(), found };
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
