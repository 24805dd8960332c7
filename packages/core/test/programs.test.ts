/** Random programs: every way to differentiate or rewrite one must give what every other gives. */

import type { Value } from "@adjoint/core";
import * as core from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

type Core = typeof core;

/** One line of a program: an operation and the earlier results that it takes, all by number. */
interface Line {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly k: number;
}

interface Program {
  readonly lines: readonly Line[];
  /** Of the three leaves. */
  readonly shapes: readonly (readonly number[])[];
  readonly seed: number;
}

/** An operation on two earlier results; `k` chooses an axis or a place. */
type Step = (m: Core, a: Value, b: Value, k: number) => Value;

const LARGEST = 40;
const axisOf = (x: Value, k: number) => k % x.rank;
const flat = (m: Core, x: Value) => m.reshape(x, [x.size]);
/** At least rank 1. */
const lifted = (m: Core, x: Value) => (x.rank === 0 ? m.reshape(x, [1]) : x);
const matrix = (m: Core, x: Value) => m.reshape(x, [x.rank === 0 ? 1 : (x.shape[0] as number), -1]);
/** `b` where it broadcasts with `a`, otherwise its mean. */
const beside = (m: Core, a: Value, b: Value): Value => {
  const fits = b.shape.every((n, i) => {
    const other = a.shape[a.rank - b.rank + i];
    return n === 1 || other === undefined || other === 1 || other === n;
  });
  return fits ? b : m.mean(b);
};
const each =
  (f: (m: Core) => (x: Value) => Value): Step =>
  (m, a) =>
    f(m)(a);
const pair =
  (f: (m: Core) => (a: Value, b: Value) => Value): Step =>
  (m, a, b) =>
    f(m)(a, beside(m, a, b));

/** Computes NaN where it is not chosen. */
const partlyUndefined = pair((m) => (a, b) => m.where(m.gt(a, 0.123), m.log(a), b));

/** Each keeps numbers of ordinary size at ordinary size. */
const STEPS: readonly Step[] = [
  each((m) => m.sin),
  each((m) => m.tanh),
  each((m) => m.sigmoid),
  each((m) => m.softplus),
  each((m) => m.relu),
  each((m) => m.abs),
  each((m) => m.gelu),
  each((m) => m.neg),
  each((m) => (x) => m.exp(m.tanh(x))),
  each((m) => (x) => m.log1p(m.square(x))),
  each((m) => (x) => m.sqrt(m.add(1, m.mul(x, x)))),
  each((m) => (x) => m.clip(x, -0.7, 0.8)),
  pair((m) => m.add),
  pair((m) => m.sub),
  pair((m) => (a, b) => m.tanh(m.mul(a, b))),
  pair((m) => (a, b) => m.div(a, m.add(1, m.square(b)))),
  pair((m) => (a, b) => m.pow(m.add(1, m.square(m.tanh(a))), m.tanh(b))),
  pair((m) => m.maximum),
  pair((m) => m.minimum),
  pair((m) => (a, b) => m.where(m.gt(a, 0.123), m.sin(a), b)),
  partlyUndefined,
  pair((m) => (a, b) => m.hypot(m.add(m.square(a), 1), b)),
  (m, a, _, k) => (a.rank === 0 ? a : m.mean(a, axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.sum(m.tanh(a), axisOf(a, k), { keepDims: true })),
  (m, a, _, k) => (a.rank === 0 ? a : m.max(a, axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.logSumExp(a, axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.softmax(a, axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.cumsum(m.sin(a), axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.prod(m.tanh(a), axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.sort(a, axisOf(a, k))),
  (m, a, _, k) => (a.rank === 0 ? a : m.flip(a, axisOf(a, k))),
  (m, a) => m.transpose(a),
  (m, a) => flat(m, a),
  (m, a, _, k) => m.expandDims(a, k % (a.rank + 1)),
  (m, a, _, k) => (a.rank === 0 ? a : m.slice(a, k % (a.shape[0] as number))),
  (m, a) => (a.rank === 0 ? a : m.slice(a, [0, null, 2])),
  (m, a, _, k) => (a.rank === 0 ? a : m.take(a, m.value(Int32Array.of(0, k % (a.shape[0] as number), 0)), 0)),
  (m, a, b) => m.concat([flat(m, a), flat(m, b), flat(m, a)]),
  (m, a, b) => m.stack([a, m.broadcastTo(m.mean(b), a.shape), a]),
  (m, a) => m.tanh(m.matmul(matrix(m, a), m.transpose(matrix(m, a)))),
  (m, a, b) => {
    const [p, q] = [flat(m, a), flat(m, b)];
    return m.tanh(m.matmul(m.reshape(p, [p.size, 1]), m.reshape(q, [1, q.size])));
  },
  (m, a) => m.pad(lifted(m, a), [1, 0]),
  (m, a, _, k) => m.roll(lifted(m, a), k, 0),
  (m, a) => m.variance(a),
  (m, a, b, k) => m.foriLoop(0, k % 4, (i, x) => m.sin(m.add(x, m.mul(i, m.mean(b)))), a),
  (m, a, b) => {
    const [carry, ys] = m.scan(
      (h: Value, x: Value) => [m.tanh(m.add(h, m.sin(x))), m.mul(h, m.mean(x))] as const,
      m.mul(0.5, m.mean(lifted(m, a), 0)),
      lifted(m, a),
      b.rank === 0 ? {} : { reverse: true, snapshots: 2 },
    );
    return m.concat([flat(m, carry), flat(m, ys)]);
  },
  (m, a, b) =>
    m.whileLoop(
      ({ x, n }) => m.logicalAnd(m.lt(n, 4), m.lt(m.mean(m.square(x)), 0.6)),
      ({ x, n }) => ({
        n: m.add(n, 1),
        x: m.cond(
          m.lt(m.mean(x), m.mean(b)),
          (x) => m.add(m.mul(x, 1.2), 0.3),
          (x) => m.sub(m.mul(1.3, m.sin(x)), m.square(m.mean(b))),
          x,
        ),
      }),
      { x: m.tanh(a), n: 0 },
    ).x,
  (m, a, b) => m.cond(m.gt(m.mean(a), 0.1), m.sin, (x) => m.mul(x, 0.5), m.add(m.mean(b), a)),
];

/** Runs a program on its leaves; returns the results that nothing has been chosen from. */
function run(m: Core, { lines }: Program, leaves: readonly Value[]): Value {
  const results = [...leaves, m.value([0.3, -0.6])];
  for (const { op, a, b, k } of lines) {
    const choose = (n: number) => results[results.length - 1 - (n % results.length)] as Value;
    const y = (STEPS[op] as Step)(m, choose(a), choose(b), k);
    results.push(y.size <= LARGEST ? y : m.mean(m.reshape(y, [-1, y.shape.at(-1) as number]), 0));
  }
  return results[results.length - 1] as Value;
}

/** The same as a scalar that all leaves and every element of the result weigh in. */
function scalar(m: Core, program: Program, leaves: readonly Value[]): Value {
  const y = run(m, program, leaves);
  const weights = m.reshape(m.cos(m.value(Float64Array.from({ length: y.size }, (_, i) => i + 1))), y.shape);
  return leaves.reduce((sum, x) => m.add(sum, m.mul(0.1, m.mean(m.square(x)))), m.sum(m.mul(y, weights)));
}

const programs: fc.Arbitrary<Program> = fc.record({
  lines: fc.array(
    fc.record({
      op: fc.nat({ max: STEPS.length - 1 }),
      a: fc.nat({ max: 3 }),
      b: fc.nat({ max: 5 }),
      k: fc.nat({ max: 5 }),
    }),
    { minLength: 1, maxLength: 14, size: "max" },
  ),
  shapes: fc.array(fc.constantFrom([], [1], [3], [2, 3], [3, 1], [1, 3], [2, 2, 2]), {
    minLength: 3,
    maxLength: 3,
  }),
  seed: fc.nat({ max: 1e6 }),
});

function draw(m: Core, { shapes, seed }: Program, which = 0): Value[] {
  return shapes.map((shape, i) =>
    m.random.uniform(m.random.fold(m.random.key(seed), 10 * which + i), [...shape], {
      low: -1.5,
      high: 1.5,
      dtype: "float64",
    }),
  );
}

/** The largest difference of two lists of values, relative to their sizes; NaN and shapes must agree. */
function expectClose(what: string, actual: readonly Value[], expected: readonly Value[], bound = 1e-9): void {
  expect([what, actual.map((x) => x.shape)]).toEqual([what, expected.map((x) => x.shape)]);
  const size = 1 + Math.max(0, ...expected.flatMap((x) => Array.from(x.data, Math.abs)));
  const worst = Math.max(
    0,
    ...actual.flatMap((x, i) =>
      Array.from(x.data, (a, j) => Math.abs(a - (expected[i]?.data[j] as number)) / size),
    ),
  );
  expect([what, worst <= bound], String(worst)).toEqual([what, true]);
}

const inner = (xs: readonly Value[], ys: readonly Value[]) =>
  xs.map((x, i) => core.sum(core.mul(x, ys[i] as Value))).reduce((a, b) => core.add(a, b));

const check = (property: (program: Program) => void, numRuns = 150) =>
  fc.assert(fc.property(programs, property), { numRuns, seed: 1 });

const ALL = { argnums: [0, 1, 2] } as const;
type F3 = (x: Value, u: Value, v: Value) => Value;
const functionOf =
  (program: Program): F3 =>
  (...leaves) =>
    scalar(core, program, leaves);

describe("a random program", () => {
  test("has one gradient: by backward, grad, vjp, recorded, and where a leaf is given twice", () => {
    check((program) => {
      const f = functionOf(program);
      const at = draw(core, program) as [Value, Value, Value];
      const expected = core.grad(f, ALL)(...at);
      for (const createGraph of [false, true]) {
        const leaves = at.map((x) => core.parameter(x)) as [Value, Value, Value];
        core.backward(f(...leaves), undefined, { createGraph });
        expectClose(
          `createGraph ${createGraph}`,
          leaves.map((w) => w.grad as Value),
          expected,
        );
      }
      expectClose("vjp", core.vjp(f, ...at)[1](1), expected);
      if (program.lines.every(({ op }) => STEPS[op] !== partlyUndefined)) {
        const watched = core.detectAnomaly(() => core.grad(f, ALL)(...at));
        expectClose("detectAnomaly", watched, expected);
      }
      const [x, u] = at;
      const w = core.parameter(x);
      core.backward(f(w, u, w));
      const parts = core.grad(f, ALL)(x, u, x);
      expectClose("twice", [w.grad as Value], [core.add(parts[0], parts[2])]);
    });
  });

  test("has a tangent that is dual to the gradient and near the difference quotient", () => {
    check((program) => {
      const f = functionOf(program);
      const at = draw(core, program) as [Value, Value, Value];
      const along = draw(core, program, 1) as [Value, Value, Value];
      const [y, t] = core.jvp(f, at, along);
      expectClose("primal", [y], [f(...at)], 0);
      expectClose("duality", [t], [inner(core.grad(f, ALL)(...at), along)]);
      const h = 1e-6;
      const beyond = (s: number) =>
        f(...(at.map((x, i) => core.add(x, core.mul(s, along[i] as Value))) as [Value, Value, Value]));
      expectClose("quotient", [t], [core.div(core.sub(beyond(h), beyond(-h)), 2 * h)], 1e-6);
    });
  });

  test("is the same captured, checkpointed, and mapped over a batch, with its gradients", () => {
    // What is captured cannot ask which branch to take, so both are computed: close, not equal.
    check((program) => {
      const f = functionOf(program);
      const at = draw(core, program) as [Value, Value, Value];
      const [, u, v] = at;
      const y = f(...at);
      const gradient = core.grad(f, ALL)(...at);
      const graph = core.capture(f as never, ...at);
      const captured: F3 = (...xs) => graph.evaluate(...xs)[0] as Value;
      expectClose("capture", [captured(...at)], [y]);
      expectClose("gradient of capture", core.grad(captured, ALL)(...at), gradient);
      const derived = core.capture(core.grad(f, ALL) as never, ...at);
      expectClose("capture of gradient", derived.evaluate(...at), gradient);
      const kept: F3 = (x, u, v) => core.checkpoint((x, v) => f(x as Value, u, v as Value))(x, v);
      expectClose("checkpoint", core.grad(kept, ALL)(...at), gradient);

      const xs = [0, 2, 3].map((which) => draw(core, program, which)[0] as Value);
      const batch = core.stack(xs);
      const one = (x: Value) => f(x, u, v);
      const loop = xs.map((x) => core.grad(one)(x));
      expectClose("vmap", [core.vmap(one)(batch)], [core.stack(xs.map(one))]);
      expectClose("vmap(grad)", [core.vmap(core.grad(one))(batch)], [core.stack(loop)]);
      const total = (xs: Value) => core.sum(core.vmap(one)(xs));
      expectClose("grad(vmap)", [core.grad(total)(batch)], [core.stack(loop)]);
      const outside = (u: Value) => core.sum(core.vmap((x: Value) => f(x, u, v))(batch));
      const summed = xs.map((x) => core.grad((u: Value) => f(x, u, v))(u)).reduce((a, b) => core.add(a, b));
      expectClose("grad(vmap) outside", [core.grad(outside)(u)], [summed]);
    });
  });

  test("has second derivatives that agree, whatever nests in what", () => {
    check((program) => {
      const f = functionOf(program);
      const [x, u, v] = draw(core, program) as [Value, Value, Value];
      const t = draw(core, program, 1)[0] as Value;
      const one = (x: Value) => f(x, u, v);
      const n = x.size;
      const hessian = core.reshape(core.hessian(one)(x), [n, n]);
      expectClose("symmetry", [core.transpose(hessian)], [hessian]);
      for (const mode of ["forward", "reverse"] as const) {
        const other = core.jacobian(core.grad(one) as (x: Value) => Value, { mode })(x);
        expectClose(`jacobian(grad), ${mode}`, [core.reshape(other, [n, n])], [hessian]);
      }
      const product = core.reshape(core.matmul(hessian, core.reshape(t, [n, 1])), x.shape);
      expectClose("hvp", [core.hvp(one, x, t)], [product]);
      expectClose("grad(jvp)", [core.grad((x: Value) => core.jvp(one, [x], [t])[1])(x)], [product]);
      const along = (x: Value) => core.sum(core.mul(core.grad(one)(x), t));
      expectClose("grad(grad)", [core.grad(along)(x)], [product]);
      const w = core.parameter(x);
      core.backward(one(w), undefined, { createGraph: true });
      const first = w.grad as Value;
      w.grad = null;
      core.backward(core.sum(core.mul(first, t)));
      expectClose("backward twice", [w.grad ?? core.mul(x, 0)], [product]);
      const twice = core.stack([x, x]);
      const mapped = core.vmap((x: Value) => core.hvp(one, x, t))(twice);
      expectClose("vmap(jvp(grad))", [mapped], [core.stack([product, product])]);
      const mixed = (u: Value) => core.jvp((x: Value) => core.grad(f, { argnums: 1 })(x, u, v), [x], [t])[1];
      const exchanged = (u: Value) => core.jvp((x) => f(x, u, v), [x], [t])[1];
      expectClose("mixed", [core.grad(exchanged)(u)], [mixed(u)]);
    }, 100);
  });

  test("has a Jacobian that agrees in both modes, sparse, and of a batch", () => {
    check((program) => {
      const [x, u, v] = draw(core, program) as [Value, Value, Value];
      const g = (x: Value) => run(core, program, [x, u, v]);
      const forward = core.jacobian(g, { mode: "forward" })(x);
      const reverse = core.jacobian(g, { mode: "reverse" })(x);
      expectClose("reverse", [reverse], [forward]);
      const { rows, columns, starts, indices, values } = core.sparseJacobian(g, x);
      const dense = new Float64Array(rows * columns);
      for (let i = 0; i < rows; i++) {
        for (let e = starts[i] as number; e < (starts[i + 1] as number); e++)
          dense[i * columns + (indices[e] as number)] = values.data[e] as number;
      }
      expectClose("sparse", [core.value(dense, { shape: forward.shape })], [forward]);
      expect([forward, reverse, values].map((x) => x.isDifferentiable)).toEqual([false, false, false]);
      const batch = core.stack([x, x]);
      expectClose(
        "vmap",
        [core.vmap((x: Value) => core.jacobian(g)(x))(batch)],
        [core.stack([forward, forward])],
      );
    });
  });

  test("computes the same to the last bit where code generation is forbidden", async () => {
    vi.resetModules();
    (await import("../src/generation.ts")).setCodeGeneration(false);
    const other = (await import("../src/index.ts")) as unknown as Core;
    vi.resetModules();
    const results = (m: Core, program: Program) => {
      const leaves = draw(m, program).map((x) => m.parameter(x));
      const y = scalar(m, program, leaves);
      m.backward(y);
      const [x, ...rest] = draw(m, program) as [Value, Value, Value];
      const [, t] = m.jvp((x) => scalar(m, program, [x, ...rest]), [x], [x]);
      return [y.item(), t.item(), ...leaves.map((w) => w.grad?.toArray())];
    };
    expect(other.add).not.toBe(core.add);
    check((program) => {
      expect(results(other, program)).toEqual(results(core, program));
    });
  });
});
