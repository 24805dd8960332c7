import {
  capture,
  checkpoint,
  cond,
  detectAnomaly,
  eq,
  foriLoop,
  type Graph,
  grad,
  gt,
  jvp,
  log,
  lt,
  parameter,
  scan,
  sparsityPattern,
  stack,
  type Value,
  value,
  valueAndGrad,
  vmap,
  whileLoop,
} from "@adjoint/core";
import { extendedScan, type ScanAttributes, type WhileAttributes } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";
import { state } from "../../../src/state.ts";

/** The graphs among attributes, at any depth of lists and objects. */
function graphsIn(x: unknown): Graph[] {
  if (typeof x !== "object" || x === null) return [];
  if ("nodes" in x) return [x as Graph];
  return Object.values(x).flatMap(graphsIn);
}

/** All nodes of a graph and of the graphs in it. */
function nodesOf(graph: Graph): Value[] {
  return graph.nodes.flatMap((node) => [node, ...graphsIn(node.attributes).flatMap(nodesOf)]);
}

const named = (graph: Graph, name: string) => nodesOf(graph).filter((node) => node.operation?.name === name);
const dtypes = (graph: Graph, name: string) => named(graph, name).map((node) => node.dtype);
const run = (graph: Graph, ...xs: Value[]) => graph.evaluate(...xs).map((y) => y.toArray());

describe("a captured loop", () => {
  const loops: Record<string, (n: number) => (x: Value) => Value> = {
    foriLoop: (n) => (x) => foriLoop(0, n, (_, y) => y.sin().add(x), x),
    scan: (n) => (x) =>
      scan((y: Value, a: Value) => [y.sin().add(x), y.mul(a)] as const, x, value(new Float64Array(n)))[0],
    "scan with snapshots": (n) => (x) =>
      scan((y: Value) => [y.sin().add(x), []] as const, x, value(new Float64Array(n)), { snapshots: 10 })[0],
    whileLoop: (n) => (x) =>
      whileLoop(
        ({ k }) => lt(k, n),
        ({ y, k }) => ({ y: y.sin().add(x), k: k.add(1) }),
        { y: x, k: 0 },
      ).y,
  };

  test.each(Object.entries(loops))("%s of 10⁴ steps is few nodes, and so are its derivatives", (_, f) => {
    const derived = [
      f,
      (n: number) => grad(f(n)),
      (n: number) => grad((x: Value) => grad(f(n))(x)),
      (n: number) => (x: Value) => jvp((x) => grad(f(n))(x), [x], [1])[1],
    ];
    for (const g of derived) {
      expect(nodesOf(capture((x) => g(10_000)(x), 1)).length).toBeLessThan(600);
      const short = capture((x) => g(211)(x), 1).evaluate(value(0.3))[0];
      expect(short?.item()).toBeCloseTo(g(211)(value(0.3)).item(), 9);
    }
    const long = capture((x) => grad(f(10_000))(x), 1).evaluate(value(0.3))[0];
    expect(long?.item()).toBeCloseTo(grad(f(10_000))(0.3).item(), 9);
  });

  test("is no operation where all that it computes is known", () => {
    const graph = capture(
      (x) =>
        x
          .add(foriLoop(0, 3, (i, y) => y.add(i), 1))
          .add(scan((c: Value) => [c, c], 1, value([1, 2]))[1].sum()),
      1,
    );
    expect(graph.nodes.map((node) => node.operation?.name)).toEqual(["add", "add"]);
    expect(run(graph, value(1))).toEqual([1 + 4 + 2]);
  });

  test("is one where only its body reads what is not known, from whichever step on", () => {
    const late = (x: Value) =>
      foriLoop(
        0,
        6,
        (_, [a, b]) =>
          [
            b,
            cond(
              gt(a, 2),
              () => x,
              () => a.add(1),
            ),
          ] as [Value, Value],
        [value(1), value(2)] as [Value, Value],
      )[1];
    const graph = capture(late, 1);
    expect(named(graph, "scan").length).toBe(1);
    expect(run(graph, value(7))).toEqual([late(value(7)).item()]);
    const counted = capture(
      (x) => scan((c: Value, _: Value) => [c, c.mul(x)] as const, 2, value([1, 2, 3]))[1],
      1,
    );
    expect([named(counted, "scan").length, run(counted, value(5))]).toEqual([1, [[10, 10, 10]]]);
  });

  test("starts in the dtype that its steps give", () => {
    const x = value(new Float32Array([1, 2]));
    const summed = (x: Value) => foriLoop(0, 3, (_, s) => s.add(x.sum()), 0);
    expect([capture(summed, x).outputs[0]?.dtype, summed(x).dtype]).toEqual(["float64", "float64"]);
    const narrow = capture((x) => foriLoop(0, 3, (_, _s) => x.slice(0).mul(2).add(x.slice(1)), 1), x);
    expect([narrow.outputs[0]?.dtype, run(narrow, x)]).toEqual(["float32", [4]]);
    const wide = capture(
      (x) => foriLoop(0, 3, (_, s) => s.add(x.mul(0.5)), value(Int32Array.of(1, 1))),
      value([1, 2]),
    );
    expect([wide.outputs[0]?.dtype, run(wide, value([1, 2]))]).toEqual(["float64", [[2.5, 4]]]);
  });

  test("packs several results in the dtype that they share", () => {
    const x = value(new Float32Array([1, 2]));
    const f = (x: Value) => {
      const { a, b } = foriLoop(0, 3, (_, { a, b }) => ({ a: b, b: a.mul(x) }), { a: x, b: x.sin() });
      return a.add(b).sum();
    };
    expect(dtypes(capture(f, x), "scan")).toEqual(["float32"]);
    const derivative = capture((x) => grad(f)(x), x);
    expect(new Set(dtypes(derivative, "scan"))).toEqual(new Set(["float32"]));
    expect(derivative.outputs[0]?.dtype).toBe("float32");
    const mixed = capture((x) => {
      const [k, y] = foriLoop(0, 3, (i, [k, y]) => [k.add(i), y.mul(2)] as [Value, Value], [
        value(Int32Array.of(2)),
        x,
      ] as [Value, Value]);
      return [k, y];
    }, x);
    expect(dtypes(mixed, "scan")).toEqual(["float64"]);
    expect(mixed.outputs.map((y) => y.dtype)).toEqual(["int32", "float32"]);
    expect(run(mixed, x)).toEqual([[5], [8, 16]]);
  });

  test("matches what a step returns by key, in whatever order", () => {
    const f = (x: Value) => {
      const a = whileLoop(
        ({ y }) => lt(y, 10),
        ({ y, z }) => ({ z: y, y: y.add(z) }),
        { y: x, z: x.mul(2) },
      );
      const b = foriLoop(0, 3, (_, { p, q }) => ({ q: p.mul(q), p }), { p: x, q: value(1) });
      const c = cond(
        gt(x, 0),
        () => ({ u: x, v: x.mul(3) }),
        () => ({ v: x, u: x.mul(5) }),
      );
      const [d] = scan(
        ({ s, t }: { s: Value; t: Value }) => [{ t: s, s: t.add(s) }, []] as const,
        { s: x, t: x },
        stack([x, x]),
      );
      return stack([a.y, a.z, b.p, b.q, c.u, c.v, d.s, d.t]);
    };
    for (const x of [1.5, 2]) expect(run(capture(f, 1), value(x))).toEqual([f(value(x)).toArray()]);
  });

  test("refuses steps that change what is carried", () => {
    expect(() => capture((x) => foriLoop(0, 2, (_, y) => stack([y, y]), x), 1)).toThrow(
      "foriLoop: while a function is captured, body must keep the carry's float64 [], got float64 [2]. Start from a carry of that type; for one that grows, write a JavaScript loop.",
    );
    expect(() => capture((x) => scan((s: Value) => [[s, s], s] as never, x, value([1, 2]))[1], 1)).toThrow(
      "scan: while a function is captured, the carry must keep its structure, carry, got carry[0], carry[1]. For a carry that grows, write a JavaScript loop.",
    );
    expect(() =>
      capture(
        (x) =>
          whileLoop(
            (y) => lt(y.a, 3),
            () => ({}) as never,
            { a: x },
          ).a,
        1,
      ),
    ).toThrow(
      "whileLoop: while a function is captured, the carry must keep its structure, carry.a, got nothing. For a carry that grows, write a JavaScript loop.",
    );
    expect(() =>
      capture(
        (x) =>
          cond(
            gt(x, 0),
            () => x,
            () => stack([x, x]),
            x,
          ),
        1,
      ),
    ).toThrow(
      "cond: while a function is captured, both branches must return the same shapes, got [] and [2]. Bring one to the shape of the other, for example with broadcastTo().",
    );
    expect(() => foriLoop(0, 2.5, (_, y) => y, 1)).toThrow(
      "foriLoop: start and end must be whole numbers below 2³¹, got 2.5. Where the number of steps is a value, write a whileLoop.",
    );
  });

  test("promotes what branches return", () => {
    const graph = capture(
      (x) =>
        cond(
          gt(x.sum(), 0),
          () => x,
          () => value(Int32Array.of(1, 2)),
        ),
      value(new Float32Array(2)),
    );
    expect([graph.outputs[0]?.dtype, run(graph, value(new Float32Array(2)))]).toEqual(["float64", [[1, 2]]]);
  });
});

test("foriLoop gives its index as an int32 scalar", () => {
  const seen: unknown[] = [];
  foriLoop(
    -1,
    2,
    (i, x) => {
      seen.push([i.dtype, i.shape, i.item()]);
      return x;
    },
    0,
  );
  expect(seen).toEqual([-1, 0, 1].map((i) => ["int32", [], i]));
});

describe("what carries no cotangent", () => {
  test("is absent where no path leads to it", () => {
    const [used, unused, counted] = [parameter(2), parameter(3), parameter(5)];
    const graph = capture((x) => {
      const y = foriLoop(0, 3, (_, a) => a.mul(used).add(unused.stopGradient()), x);
      const n = whileLoop(
        (n) => lt(n, x.mul(10)),
        (n) => n.add(counted.gt(0)),
        value(Int32Array.of(0)).slice(0),
      );
      return y.add(n);
    }, 1);
    graph.evaluate(value(1))[0]?.backward();
    // ((x·u + 3)·u + 3)·u + 3.
    expect([used.grad?.item(), unused.grad, counted.grad]).toEqual([12 + 3 * 4 + 3, null, null]);
  });

  test("takes no part in the way back", () => {
    const f = (x: Value) =>
      foriLoop(0, 3, (_, { a, b, n }) => ({ a: a.mul(x), b: b.mul(2).add(a), n: n.add(1) }), {
        a: x,
        b: x,
        n: value(Int32Array.of(0)),
      });
    const back = (g: (x: Value) => Value) =>
      (
        named(
          capture((x) => grad(g)(x), 1),
          "scan",
        ).at(-1) as Value
      ).attributes as ScanAttributes;
    // a's cotangent and the sum of x's; then b's as well.
    expect(back((x) => f(x).a).carries).toBe(2);
    expect(back((x) => f(x).b).carries).toBe(3);
  });
});

describe("what the way back needs", () => {
  const w = value([
    [0.1, 0.2],
    [0.3, 0.4],
  ]);
  const layer = (h: Value, x: Value) => {
    const y = h.matmul(w).add(x).tanh();
    return [y, y.square()] as const;
  };
  const f = (xs: Value) => scan(layer, value([0, 0]), xs)[1].sum();
  const xs = value([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const scans = (graph: Graph) => graph.nodes.filter((node) => node.operation?.name === "scan");

  test("is given by a scan that does what the first did, so that one of them need not run", () => {
    const both = (xs: Value) => valueAndGrad(f)(xs);
    const [first, forward] = scans(capture(both, xs)) as [Value, Value];
    const attributes = forward.attributes as ScanAttributes;
    expect(attributes.outputs.length).toBeGreaterThan(2);
    expect(attributes.outputs.slice(0, 2)).toEqual((first.attributes as ScanAttributes).outputs);
    expect(extendedScan(attributes)).toBe(first.attributes);
    expect(extendedScan(first.attributes as ScanAttributes)).toBe(null);
    // Wherever one goes, in a batch or with tangents, the other goes along.
    const derived: ((xs: Value) => unknown)[] = [
      both,
      (xs) => vmap(both)(stack([xs, xs])),
      (xs) => jvp(both, [xs], [xs])[1],
      (xs) => jvp((xs: Value) => vmap(both)(stack([xs, xs])), [xs], [xs])[1],
    ];
    for (const g of derived) {
      const all = scans(capture(g, xs)).map((node) => node.attributes as ScanAttributes);
      expect(all.some((scan) => all.includes(extendedScan(scan) as ScanAttributes))).toBe(true);
    }
  });

  test("is products and what else is dear; the rest is computed again", () => {
    const [, back] = scans(capture((xs) => grad(f)(xs), xs)).slice(-2) as [Value, Value];
    const names = (back.attributes as ScanAttributes).body.nodes.map((node) => node.operation?.name);
    expect(names.filter((name) => name === "matmul").length).toBe(1);
    expect(names).toContain("tanh");
  });

  test("is no more than carries at each depth with snapshots, and a step is run once more for each", () => {
    const long = value(Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i)));
    const g = (options: object) => (w: Value) =>
      scan((h: Value, x: Value) => [h.mul(w).add(x).sin(), []] as const, 0.5, long, options)[0];
    const largest = (options: object) => {
      const graph = capture((w) => grad(g(options))(w), 1);
      return Math.max(...named(graph, "scan").map((node) => node.size));
    };
    expect(largest({})).toBeGreaterThan(1000);
    expect(largest({ snapshots: 10 })).toBeLessThan(30);
    const graph = capture((w) => grad(g({ snapshots: 10 }))(w), 1);
    let sines = 0;
    state.inspector = (node) => {
      if (node.op?.name === "sin") sines++;
    };
    try {
      expect(graph.evaluate(value(0.7))[0]?.item()).toBeCloseTo(grad(g({}))(0.7).item(), 12);
    } finally {
      state.inspector = null;
    }
    // The first run and, at each of three depths, once more.
    expect(sines).toBeLessThanOrEqual(5 * 1000);
  });

  test("is kept on the stack only where a later pass reads it", () => {
    const loop = (x: Value) =>
      whileLoop(
        (y) => lt(y, 50),
        (y) => y.mul(2).add(x),
        x,
      );
    const [back] = named(
      capture((x) => grad(loop)(x), 1),
      "whileLoop",
    ).slice(-1) as [Value];
    const { passes } = back.attributes as WhileAttributes;
    expect(passes.map(({ carries, emissions }) => [carries, emissions])).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });
});

describe("a loop over a batch", () => {
  // Never ends below zero.
  const doubling = (x: Value) =>
    whileLoop(
      (y) => lt(y, 100),
      (y) => y.mul(2),
      x,
    );

  test("does not wait for examples whose branch is not taken", () => {
    const f = (x: Value) => cond(gt(x, 0), doubling, (x) => x.neg(), x);
    const xs = value([3, -1, 30, -5]);
    expect(vmap((x: Value) => f(x))(xs).toArray()).toEqual([192, 1, 120, 5]);
    expect(vmap((x: Value) => grad(f)(x))(xs).toArray()).toEqual([64, -1, 4, -1]);
    expect(grad((xs: Value) => vmap((x: Value) => f(x))(xs).sum())(xs).toArray()).toEqual([64, -1, 4, -1]);
    const nested = vmap(vmap((x: Value) => f(x)) as (xs: Value) => Value)(stack([xs, xs.neg()]));
    expect(nested.toArray()).toEqual([
      [192, 1, 120, 5],
      [3, 128, 30, 160],
    ]);
  });

  test("does not wait, at any depth, for examples that are done", () => {
    // When y is 300 or more, y − 300 is not below zero, where the inner loop would never end.
    const f = (x: Value) =>
      whileLoop(
        (y) => lt(y, 300),
        (y) => y.add(scan((c: Value) => [doubling(c), []] as const, y.neg().add(300), value([1, 2]))[0]),
        x,
      );
    const xs = value([10, 299, 400, 250]);
    expect(vmap((x: Value) => f(x))(xs).toArray()).toEqual(
      xs.data.length === 4 ? Array.from(xs.data, (x) => f(value(x)).item()) : [],
    );
    expect(vmap((x: Value) => grad(f)(x))(xs).toArray()).toEqual(
      Array.from(xs.data, (x) => grad(f)(x).item()),
    );
  });

  test("has no more steps than its longest example", () => {
    let products = 0;
    state.inspector = (node) => {
      if (node.op?.name === "mul" && node.storage !== null) products++;
    };
    try {
      vmap((x: Value) => doubling(x))(value([60, 30, 1]));
    } finally {
      state.inspector = null;
    }
    expect(products).toBe(7);
  });

  test("of equal length for all needs no choice", () => {
    const f = (x: Value) =>
      whileLoop(
        ({ k }) => lt(k, 5),
        ({ k, y }) => ({ k: k.add(1), y: y.mul(x) }),
        { k: 0, y: x },
      ).y;
    const graph = capture((xs) => vmap((x: Value) => f(x))(xs), value([1, 2]));
    expect(named(graph, "where")).toEqual([]);
    expect(run(graph, value([1, 2]))).toEqual([[1, 64]]);
  });
});

describe("a graph with loops", () => {
  test("prints theirs below them", () => {
    const graph = capture(
      (x) =>
        whileLoop(
          (y) => lt(y, 100),
          (y) =>
            cond(
              gt(y, x),
              (y) => y.mul(3),
              (y) => y.add(1),
              y,
            ),
          x,
        ),
      1,
    );
    expect(String(graph)).toBe(
      [
        "graph (%0 : float64 []) {",
        "  %1 = whileLoop(%0, %0) {passes: [{carries: 1, emissions: 0}], outputs: [float64 []]} : float64 []",
        "    test = graph (%0 : float64 [], %1 : float64 []) {",
        "      %2 = lt(%0, 100) : bool []",
        "      return %2",
        "    }",
        "    passes[0].step = graph (%0 : float64 [], %1 : float64 []) {",
        "      %2 = gt(%0, %1) : bool []",
        "      %3 = cond(%2, %0) {outputs: [float64 []]} : float64 []",
        "        whenTrue = graph (%0 : float64 []) {",
        "          %1 = mul(%0, 3) : float64 []",
        "          return %1",
        "        }",
        "        whenFalse = graph (%0 : float64 []) {",
        "          %1 = add(%0, 1) : float64 []",
        "          return %1",
        "        }",
        "      return %3",
        "    }",
        "  return %1",
        "}",
      ].join("\n"),
    );
  });

  test("names the operation within a loop that made a NaN", () => {
    const graph = capture((x) => foriLoop(0, 5, (_, y) => log(y.sub(1)), x), 1);
    expect(() => detectAnomaly(() => graph.evaluate(value(3)))).toThrow(
      "log: a finite result of finite operands, got NaN from log(sub -0.30",
    );
  });

  test("holds in checkpoint, and sparsity takes a loop to mix all", () => {
    const f = (x: Value) => foriLoop(0, 3, (_, y) => checkpoint((y) => y.sin().mul(x))(y), x);
    const graph = capture((x) => grad(f)(x), 1);
    expect(graph.evaluate(value(0.7))[0]?.item()).toBeCloseTo(grad(f)(0.7).item(), 15);
    const pattern = sparsityPattern((x) => foriLoop(0, 3, (_, y) => y.mul(2), x), [1, 2]);
    expect(Array.from(pattern.indices)).toEqual([0, 1, 0, 1]);
  });

  test("keeps constant what noGrad made", () => {
    const w = parameter(3);
    const graph = capture((x) => foriLoop(0, 2, (_, y) => y.mul(w).add(y.mul(w).stopGradient()), x), 1);
    graph.evaluate(value(1))[0]?.backward();
    // y₁ = 2w, of which w counts; y₂ = 2w·y₁: d = y₁ + w·dy₁ with dy₁ = 1.
    expect(w.grad?.item()).toBe(6 + 3);
  });

  test("asks for what it cannot know", () => {
    expect(() => capture((x) => foriLoop(0, 3, (i, y) => y.mul(i.item()), x), 1)).toThrow(
      "item: data that is known",
    );
    const f = (x: Value) =>
      foriLoop(
        0,
        3,
        (i, y) =>
          cond(
            eq(i, 1),
            (y) => y.mul(10),
            (y) => y.add(i),
            y,
          ),
        x,
      );
    expect(run(capture(f, 1), value(2))).toEqual([22]);
  });
});
