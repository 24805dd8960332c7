/** Loops of compiled functions whose steps assign to what is outside: what eager code makes of them. */

import { compile, explain } from "@adjoint/compiler";
import { arange, foriLoop, grad, parameter, random, scan, type Value, value, whileLoop } from "@adjoint/core";
import { Adam, MLP, meanSquaredError } from "@adjoint/nn";
import { expect, test } from "vitest";

/** What a function gives and leaves in a parameter and its gradient, eager and compiled, twice over. */
function bothWays(f: (p: Value) => (x: Value) => Value): unknown[][] {
  return [false, true].map((compiled) => {
    const p = parameter(2);
    const g = compiled ? compile(f(p)) : f(p);
    return [1, 3].map((x) => [g(value(x)).toArray(), p.toArray(), p.grad?.toArray()]);
  });
}

test.each<[string, (p: Value) => (x: Value) => Value]>([
  [
    "foriLoop",
    (p) => (x) =>
      foriLoop(
        0,
        3,
        (_, y) => {
          p.assign(p.add(1));
          return y.mul(p);
        },
        x,
      ),
  ],
  [
    "foriLoop that trains",
    (p) => (x) =>
      foriLoop(
        0,
        3,
        (i) => {
          const loss = p.mul(x).sub(i).square();
          loss.backward();
          p.assign(p.sub((p.grad as Value).mul(0.01)));
          return loss;
        },
        0,
      ),
  ],
  [
    "scan",
    (p) => (x) =>
      scan(
        (y: Value, a: Value) => {
          p.assign(p.add(a));
          return [y.mul(p), p.mul(y)] as const;
        },
        x,
        value([1, 2, 3]),
        { reverse: true },
      )[1],
  ],
  [
    "scan with snapshots",
    (p) => (x) =>
      scan(
        (y: Value, a: Value) => {
          p.assign(p.add(a));
          return [y.mul(p), p.mul(y)] as const;
        },
        x,
        value([1, 2, 3]),
        { snapshots: 2 },
      )[1],
  ],
  [
    "whileLoop whose number of steps is known",
    (p) => (x) =>
      whileLoop(
        ({ n }) => n.lt(3),
        ({ n, y }) => {
          p.assign(p.add(1));
          return { n: n.add(1), y: y.mul(p) };
        },
        { n: 0, y: x },
      ).y,
  ],
])("%s assigns in each step", (_, f) => {
  const [eager, compiled] = bothWays(f);
  expect(compiled).toEqual(eager);
});

/** A step of training: the loss of a parameter at x, which moves the parameter. */
const descend = (p: Value, x: Value | number) => {
  const loss = p.mul(x).sub(1).square().sum();
  loss.backward();
  p.assign(p.sub((p.grad as Value).mul(0.05)));
  return loss;
};

test.each<[string, (p: Value) => (x: Value) => Value]>([
  [
    "gradients that were not there before the first step, and add up",
    (p) => (x) => foriLoop(0, 6, (i, y) => y.add(descend(p, x.add(i))), 0),
  ],
  [
    "gradients that are taken away at the beginning of a step",
    (p) => (x) =>
      foriLoop(
        0,
        6,
        (_, y) => {
          p.grad = null;
          return y.add(descend(p, x));
        },
        0,
      ),
  ],
  [
    "gradients that are taken away at its end",
    (p) => (x) =>
      foriLoop(
        0,
        6,
        (_, y) => {
          const loss = descend(p, x);
          p.grad = null;
          return y.add(loss);
        },
        0,
      ),
  ],
  [
    "a scan's outputs",
    (p) => (x) =>
      scan((n: Value, a: Value) => [n.add(1), descend(p, a)] as const, 0, x.mul([1, 2, 3, 4, 5]))[1],
  ],
  [
    "a reversed scan's outputs",
    (p) => (x) =>
      scan((n: Value, a: Value) => [n.add(1), descend(p, a)] as const, 0, x.mul([1, 2, 3, 4, 5]), {
        reverse: true,
      })[1],
  ],
  [
    "a carry that nobody can tell from its start",
    (p) => (x) =>
      foriLoop(
        0,
        5,
        (_, n) => {
          descend(p, x);
          return n.add(1);
        },
        0,
      ),
  ],
  [
    "a loop in a loop",
    (p) => (x) =>
      foriLoop(0, 3, (_, y) => y.add(foriLoop(0, 4, (i, z) => z.add(descend(p, x.add(i))), 0)), 0),
  ],
  [
    "a number of steps that depends on what is assigned",
    (p) => (x) =>
      whileLoop(
        ({ n }) => p.lt(20).logicalAnd(n.lt(50)),
        ({ n }) => {
          p.assign(p.mul(1.5));
          return { n: n.add(x) };
        },
        { n: x },
      ).n,
  ],
])("loops that are operations carry what steps assign: %s", (_, f) => {
  const [eager, compiled] = bothWays(f);
  expect(compiled).toEqual(eager);
});

test("an optimiser trains a network in a loop as it does step by step", () => {
  const training = (steps: number) => {
    const model = new MLP([2, 5, 1], { seed: 3, dtype: "float64" });
    const optimizer = new Adam(model.parameters());
    const step = (x: Value, y: Value) => {
      optimizer.zeroGrad();
      const loss = meanSquaredError(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    };
    const all = (x: Value, y: Value) =>
      scan((n: Value, _: Value) => [n.add(1), step(x, y)] as const, 0, arange(steps))[1];
    return { model, step, all };
  };
  const x = random.normal(random.key(1), [7, 2], { dtype: "float64" });
  const y = x.sum(1, { keepDims: true });
  const [eager, compiled] = [training(30), training(30)];
  const f = compile(compiled.all);
  for (let call = 0; call < 2; call++) {
    const wanted = Array.from({ length: 30 }, () => eager.step(x, y).item());
    f(x, y).data.forEach((loss, i) => {
      expect(loss).toBeCloseTo(wanted[i] as number, 12);
    });
  }
  compiled.model.parameters().forEach((p, i) => {
    const wanted = eager.model.parameters()[i] as Value;
    p.data.forEach((w, j) => {
      expect(w).toBeCloseTo(wanted.data[j] as number, 10);
    });
  });
  expect(explain(f)).toContain("for each of 29 steps {");
});

test("a loop that trains is as short compiled as its step", () => {
  const lengthOf = (steps: number): number => {
    const p = parameter([2, 3]);
    const f = compile((x: Value) => foriLoop(0, steps, (i, y) => y.add(descend(p, x.add(i))), 0));
    f(value([1, 2]));
    return explain(f).split("\n").length;
  };
  expect(lengthOf(200)).toBe(lengthOf(20));
});

test("a loop draws until a number is small, each time a new one", () => {
  const drawing = (source: random.Generator) => (most: Value) =>
    whileLoop(
      ({ u }) => u.gt(most),
      ({ n }) => ({ u: random.uniform(source, [], { dtype: "float64" }), n: n.add(1) }),
      { u: 1, n: 0 },
    );
  const [eager, compiled] = [new random.Generator(5), new random.Generator(5)];
  const f = compile(drawing(compiled));
  for (const most of [0.5, 0.03, 0.2]) {
    const [given, wanted] = [f(value(most)), drawing(eager)(value(most))];
    expect([given.u.item(), given.n.item()]).toEqual([wanted.u.item(), wanted.n.item()]);
    expect(compiled.count).toBe(eager.count);
  }
  expect(eager.count).toBeGreaterThan(10);
});

test("a condition that assigns is refused where the number of steps is not known", () => {
  const source = new random.Generator(1);
  const f = compile((x: Value) =>
    whileLoop(
      (y) => y.lt(random.uniform(source)),
      (y) => y.add(x),
      x,
    ),
  );
  expect(() => f(value(0.1))).toThrow(
    "whileLoop: a condition that assigns to nothing outside, got one that assigns to a parameter, a buffer or a gradient while a function is compiled. Do it in the body, and carry what the condition reads.",
  );
  expect(source.count).toBe(0);
});

test("whileLoop refuses steps after which a gradient is there that was not, where their number is not known", () => {
  const p = parameter(2);
  const f = compile((x: Value) =>
    whileLoop(
      (y) => y.lt(100),
      (y) => y.add(descend(p, x)).add(1),
      x,
    ),
  );
  expect(() => f(value(1))).toThrow(
    "whileLoop: a body after which gradients are there where they were before, where the number of steps depends on data, got one that leaves a gradient where there was none, or takes one away, while a function is compiled. Call zeroGrad() at its end, or carry what changes.",
  );
  expect([p.item(), p.grad]).toEqual([2, null]);
});

test("what read a parameter before a loop assigned to it is not differentiated any more, as where nothing is compiled", () => {
  const looping = (p: Value) => (x: Value) => {
    const y = p.mul(x);
    const z = foriLoop(
      0,
      5,
      (_, y) => {
        p.assign(p.add(1));
        return y.mul(p);
      },
      x,
    );
    y.add(z).backward();
    return z;
  };
  const messages = [looping(parameter(2)), compile(looping(parameter(2)))].map((f) => {
    try {
      f(value(3));
    } catch (error) {
      return (error as Error).message;
    }
    return null;
  });
  for (const message of messages)
    expect(message).toMatch(
      /^backward: the data that \w+ used must still be there, got .*, replaced by assign\(\) since/,
    );
});

test("random numbers differ from step to step: by a generator, and by a key folded with the index", () => {
  const drawing = (source: random.Generator) => (x: Value) =>
    foriLoop(0, 3, (_, y) => y.mul(random.uniform(source, [], { dtype: "float64" })), x);
  const folding = (x: Value) =>
    foriLoop(
      0,
      3,
      (i, y) => y.mul(random.uniform(random.fold(random.key(3), i), [], { dtype: "float64" })),
      x,
    );
  const eager = drawing(new random.Generator(1));
  const compiled = compile(drawing(new random.Generator(1)));
  for (const x of [1, 2]) expect(compiled(value(x)).item()).toBe(eager(value(x)).item());
  expect(compile(folding)(value(2)).item()).toBe(folding(value(2)).item());
  const derivative = compile((x: Value) => grad(folding)(x))(value(2)).item();
  expect(derivative).toBeCloseTo(folding(value(1)).item(), 14);
});
