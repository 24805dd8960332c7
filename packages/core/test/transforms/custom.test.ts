import {
  checkpoint,
  customJvp,
  customVjp,
  exp,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  linearize,
  log,
  onCotangent,
  parameter,
  sign,
  sin,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const straightThrough = customVjp(
  (x) => sign(x),
  (dy) => [dy],
);

describe("customVjp", () => {
  test("takes the stated rule instead of the function's own", () => {
    expect([straightThrough(-0.3).item(), grad((x) => straightThrough(x))(-0.3).item()]).toEqual([-1, 1]);
    expect(grad((x) => straightThrough(x).mul(x).sum())(value([-2, 3])).toArray()).toEqual([-2 - 1, 3 + 1]);
  });

  test("is differentiable again through its rule, batches and captures", () => {
    const log1pexp = customVjp(
      (x) => log(exp(x).add(1)),
      (dy, { inputs: [x] }) => [dy.mul((x as Value).sigmoid())],
    );
    const s = 1 / (1 + Math.exp(-0.4));
    expect(grad((x) => grad((x) => log1pexp(x))(x))(0.4).item()).toBeCloseTo(s * (1 - s), 15);
    const xs = value([0.4, -1, 100]);
    expect(vmap((x: Value) => grad((x) => log1pexp(x))(x))(xs).toArray()).toEqual(
      [0.4, -1, 100].map((x) => value(x).sigmoid().item()),
    );
    expect(grad((x: Value) => vmap((x: Value) => log1pexp(x))(x).sum())(xs).toArray()).toEqual(
      xs.sigmoid().toArray(),
    );
  });

  test("batches rules of several inputs, some of them shared", () => {
    const product = customVjp(
      (a, b) => a.mul(b),
      (dy, { inputs: [a, b] }) => [dy.mul(b as Value), dy.mul(a as Value)],
    );
    const f = (w: Value) => vmap((x: Value) => product(x, w))(value([1, 2, 3])).sum();
    expect(grad(f)(5).item()).toBe(6);
  });

  test("refuses forward mode and rules that do not fit", () => {
    expect(() => jvp((x) => straightThrough(x), [1], [1])).toThrow(
      "jvp: a forward rule for every operation, got customVjp, made by customVjp. Make it with customJvp, whose rule serves both modes.",
    );
    const wrong = customVjp(
      (x) => x.sum(),
      (dy) => [dy],
    );
    expect(() => grad((x) => wrong(x))(value([1, 2]))).toThrow(
      "customVjp: a cotangent must have the shape [2], got [].",
    );
    const few = customVjp(
      (a, b) => a.add(b),
      (dy) => [dy],
    );
    expect(() => grad((x) => few(1, x))(2)).toThrow(
      "customVjp: the pullback must return one cotangent for each of the 2 inputs, got 1.",
    );
  });
});

describe("customJvp", () => {
  test("serves both modes from the forward rule", () => {
    const f = customJvp(
      (a, b) => a.mul(b),
      ([ta, tb], { inputs: [a, b] }) => (ta as Value).mul(b as Value).add((a as Value).mul(tb as Value)),
    );
    expect(jvp((x, y) => f(x, y), [2, 3], [1, 10])[1].item()).toBe(23);
    expect(grad((x: Value, y: Value) => f(x, y), { argnums: [0, 1] })(2, 3).map((d) => d.item())).toEqual([
      3, 2,
    ]);
    expect(grad((x) => grad((x: Value) => f(x, x).mul(x))(x))(2).item()).toBe(12);
    expect(vmap((x: Value) => grad((x: Value) => f(x, 4))(x))(value([1, 2])).toArray()).toEqual([4, 4]);
  });
});

test("onCotangent sees the cotangent and may replace it", () => {
  const seen: number[] = [];
  const g = grad((x) => onCotangent(x.mul(3), (d) => void seen.push(d.item()) as undefined).mul(2))(1);
  expect([g.item(), seen]).toEqual([6, [2]]);
  expect(grad((x) => onCotangent(x.mul(3), (d) => d.clip(-1, 1)).mul(100))(1).item()).toBe(3);
});

describe("checkpoint", () => {
  test("gives the gradients of the function, to its parameters too, and runs it again for them", () => {
    let runs = 0;
    const w = parameter([0.5, -1]);
    const f = (x: Value) => {
      runs++;
      return sin(x.mul(w)).exp();
    };
    const x = value([1, 2]);
    const expected = grad((x: Value) => f(x).sum())(x).toArray();
    f(x).sum().backward();
    const direct = w.grad?.toArray();
    w.grad = null;
    runs = 0;
    const y = checkpoint(f)(x).sum();
    expect(runs).toBe(1);
    y.backward();
    expect([runs, (w.grad as Value | null)?.toArray()]).toEqual([2, direct]);
    expect(grad((x: Value) => checkpoint(f)(x).sum())(x).toArray()).toEqual(expected);
  });

  test("nests, differentiates twice, forward and batched", () => {
    const f = checkpoint((x) => checkpoint((x) => x.mul(x))(x).mul(x));
    expect(grad((x) => grad((x) => f(x))(x))(2).item()).toBe(12);
    expect(jvp((x) => f(x), [2], [1])[1].item()).toBe(12);
    expect(vmap((x: Value) => grad((x) => f(x))(x))(value([1, 2])).toArray()).toEqual([3, 12]);
  });

  test("holds no intermediate value", () => {
    const y = checkpoint((x) => x.exp().sin().tanh())(parameter(1));
    expect(y.inputs.length).toBe(1);
    expect(y.inputs[0]?.isParameter).toBe(true);
  });
});

describe("jacobian and hessian", () => {
  // f(x) = (x₀x₁, sin x₁, x₂²): the Jacobian by hand.
  const f = (x: Value) =>
    x
      .slice(0)
      .mul(x.slice(1))
      .stack([x.slice(1).sin(), x.slice(2).square()]);
  const at = value([2, 0.5, -1]);
  const byHand = [
    [0.5, 2, 0],
    [0, Math.cos(0.5), 0],
    [0, 0, -2],
  ];

  test("agree in both modes with the derivatives by hand", () => {
    for (const mode of ["forward", "reverse"] as const) {
      expect(jacobian(f, { mode })(at).toArray()).toEqual(byHand);
    }
    expect(jacobian(f)(at).toArray()).toEqual(byHand);
  });

  test("carry the shapes of output and input, empty and scalar ones too", () => {
    const x = value([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (const mode of ["forward", "reverse"] as const) {
      expect(jacobian((x) => x.sum(0), { mode })(x).shape).toEqual([3, 2, 3]);
      expect(jacobian((x) => x.sum(), { mode })(x).shape).toEqual([2, 3]);
      expect(jacobian((x) => x.mul(x), { mode })(3).item()).toBe(6);
      expect(jacobian((x) => x.slice([0, 0]), { mode })(value([1, 2])).shape).toEqual([0, 2]);
    }
    expect(jacobian((x) => x.mul(2))(value([])).shape).toEqual([0, 0]);
    expect(jacobian((_x) => value([1, 2]))(value([1])).toArray()).toEqual([[0], [0]]);
  });

  test("hessian and hvp agree with each other and with the closed form", () => {
    const rosenbrock = (x: Value) => {
      const [a, b] = [x.slice(0), x.slice(1)];
      return a.sub(1).square().add(b.sub(a.square()).square().mul(100));
    };
    const h = hessian(rosenbrock)(value([-1, 2]));
    expect(h.toArray()).toEqual([
      [2 - 400 * (2 - 3), 400],
      [400, 200],
    ]);
    expect(hvp(rosenbrock, [-1, 2], [1, 10]).toArray()).toEqual([402 + 4000, 400 + 2000]);
  });

  test("differentiate again", () => {
    const trace = (x: Value) => hessian((x) => x.pow(4).sum())(x).sum();
    expect(grad(trace)(value([1, 2])).toArray()).toEqual([24, 48]);
    expect(grad((x: Value) => jacobian((x) => x.mul(x))(x).sum())(value([1, 2])).toArray()).toEqual([2, 2]);
  });
});

test("linearize runs the function once for many tangents", () => {
  let runs = 0;
  const [y, push] = linearize(
    (x) => {
      runs++;
      return x.mul(x);
    },
    [1, 2],
  );
  expect([y.toArray(), push([1, 0]).toArray(), push([0, 1]).toArray(), runs]).toEqual([
    [1, 4],
    [2, 0],
    [0, 4],
    1,
  ]);
  expect(() => push([1])).toThrow("linearize: a tangent must have its primal's shape [2], got [1].");
});
