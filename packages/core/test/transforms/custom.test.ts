import {
  buffer,
  checkpoint,
  customJvp,
  customVjp,
  detectAnomaly,
  exp,
  fixedPoint,
  grad,
  hessian,
  hvp,
  implicitSolve,
  jacobian,
  jvp,
  linearize,
  log,
  noGrad,
  onCotangent,
  parameter,
  sign,
  sin,
  stopGradient,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { state } from "../../src/state.ts";

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

  test("has tangents of 0 for arguments that do not move, and tells them from the arguments", () => {
    const quotient = customJvp(
      (a, b) => a.div(b),
      ([ta, tb], { inputs: [, b], output }) => (ta as Value).sub((tb as Value).mul(output)).div(b as Value),
    );
    expect(jvp((x) => quotient(x, 4), [3], [2])[1].item()).toBe(0.5);
    expect(jvp((x) => quotient(3, x), [2], [4])[1].item()).toBe(-3);
    expect(jvp(quotient, [3, 2], [5, 4])[1].item()).toBe(-0.5);
  });

  test("refuses a tangent of another shape", () => {
    const wrong = customJvp(
      (x) => x.sum(),
      ([t]) => t as Value,
    );
    expect(() => jvp((x) => wrong(x), [value([1, 2])], [value([1, 2])])).toThrow(
      "customJvp: a tangent must have the shape [], got [2].",
    );
  });
});

test.each([
  [
    "customVjp",
    (w: Value) =>
      customVjp(
        (x) => x.mul(w),
        (dy) => [dy.mul(stopGradient(w))],
      ),
  ],
  [
    "customJvp",
    (w: Value) =>
      customJvp(
        (x) => x.mul(w),
        ([t]) => (t as Value).mul(stopGradient(w)),
      ),
  ],
])(
  "%s, checkpoint, fixedPoint and their arguments: what a rule reads must not have been replaced",
  (_, scaled) => {
    const w = parameter(3, { label: "w" });
    const three = value(3);
    const nodes = [
      scaled(three)(w),
      checkpoint((w) => w.mul(0))(w),
      fixedPoint((x, w) => x.mul(0.5).add(w), 0, [w]),
      implicitSolve(
        (x, w) => x.sub(w as Value),
        (w) => stopGradient(w as Value),
      )(w),
    ];
    w.assign(4);
    for (const y of nodes) {
      expect(() => y.backward()).toThrow(
        /^backward: the data that \w+ used must still be there, got "w" \[\]/,
      );
    }
  },
);

test("onCotangent sees the cotangent and may replace it", () => {
  const seen: number[] = [];
  const g = grad((x) => onCotangent(x.mul(3), (d) => void seen.push(d.item()) as undefined).mul(2))(1);
  expect([g.item(), seen]).toEqual([6, [2]]);
  expect(grad((x) => onCotangent(x.mul(3), (d) => d.clip(-1, 1)).mul(100))(1).item()).toBe(3);
});

test("onCotangent is called once a sweep, also with the same cotangent in another", () => {
  let calls = 0;
  const y = onCotangent(parameter(3), () => void calls++ as undefined);
  const dy = value(1);
  for (const createGraph of [true, true, false]) y.backward(dy, { createGraph });
  expect(calls).toBe(3);
});

test("a hook may sweep the graph that is being swept, and catch what fails there", () => {
  const w = parameter([1, 2]);
  const failing = onCotangent(parameter(1).mul(2), oops);
  const a = w.mul(3);
  let inner: unknown = null;
  const hook = () => {
    inner = grad((x: Value) => x.mul(x))(5).item();
    expect(() => grad((_x: Value) => failing.mul(w).sum().add(a.sum()))(1)).not.toThrow();
    expect(() => grad((x: Value) => onCotangent(x.mul(w).sum(), oops))(1)).toThrow("oops");
    return undefined;
  };
  onCotangent(a, hook).mul(w).sum().add(a.sum()).backward();
  // 3w² + 3w: 6w + 3.
  expect([inner, w.grad?.toArray()]).toEqual([10, [9, 15]]);
});

describe("an error", () => {
  const before = () => ({ ...state, clock: 0 });
  const w = parameter([1, 2]);
  const failing = (x: Value) => onCotangent(x.mul(w), oops).sum();

  test.each<[string, () => unknown]>([
    ["in a function under grad", () => grad((_x: Value) => oops())(1)],
    ["in a function under jvp", () => jvp((_x: Value): Value => oops(), [1], [1])],
    ["in a captured function", () => vmap((_x: Value): Value => oops())(value([1, 2]))],
    [
      "in a function without recording",
      () => noGrad(() => vmap((_x: Value): Value => oops())(value([1, 2]))),
    ],
    ["in a checkpointed function", () => checkpoint(() => oops())(w)],
    ["in a rule of a numeric sweep", () => failing(w).backward()],
    ["in a rule of a recorded sweep", () => failing(w).backward(undefined, { createGraph: true })],
    ["in a rule of a sweep within a sweep", () => grad((x: Value) => grad(failing)(x).sum())(value([1, 2]))],
    ["in a rule of a captured sweep", () => vmap(grad(failing))(value([[1, 2]]))],
    ["in a sweep that is watched", () => detectAnomaly(() => failing(w).backward())],
    [
      "in a forward rule",
      () =>
        jvp(
          customJvp((x) => x, oops),
          [1],
          [1],
        ),
    ],
  ])("%s leaves everything as it was", (_, run) => {
    const expected = before();
    expect(run).toThrow("oops");
    expect(before()).toEqual(expected);
    expect(w.grad).toBe(null);
    expect(grad((x: Value) => x.mul(x).mul(w).sum())(value([3, 4])).toArray()).toEqual([6, 16]);
  });
});

function oops(): never {
  throw new Error("oops");
}

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

  test("pushes the tangents of some arguments, and those of what it reads", () => {
    const w = value(5);
    const f = (x: Value, w: Value) => checkpoint((a, b) => a.mul(b).mul(w))(x, 3);
    expect(jvp((x: Value) => f(x, w), [2], [1])[1].item()).toBe(15);
    expect(jvp((w: Value) => f(value(2), w), [5], [1])[1].item()).toBe(6);
    expect(jvp(f, [2, 5], [1, 1])[1].item()).toBe(21);
  });

  test("refuses what is no value", () => {
    expect(() => checkpoint((() => 3) as never)(1)).toThrow("checkpoint: f must return a value, got 3.");
  });

  test("differentiates by a value that is an argument and read from outside", () => {
    const f = (w: Value) => checkpoint((x) => x.mul(w))(w);
    expect([grad(f)(3).item(), jvp(f, [3], [1])[1].item()]).toEqual([6, 6]);
    expect(grad((w: Value) => grad((w: Value) => f(w).mul(w))(w))(3).item()).toBe(18);
  });

  test("refuses a function that computes something else in the sweep", () => {
    const [w, x] = [parameter(3), parameter(2)];
    const message =
      "checkpoint: f must compute the same each time, got another result in the sweep. Draw random numbers with a key, and call backward() before assign().";
    const y = checkpoint((x) => x.mul(stopGradient(w)))(x);
    w.assign(4);
    expect(() => y.backward()).toThrow("got a parameter of shape [], replaced by assign() since.");
    expect(() => jvp((t: Value) => t.mul(y), [1], [1])).not.toThrow();
    let calls = 0;
    expect(() => grad((x: Value) => checkpoint((x) => x.mul(calls++))(x))(1)).toThrow(message);
    expect(() => jvp((x: Value) => checkpoint((x) => x.mul(calls++))(x), [1], [1])).toThrow(message);
    const partly = (x: Value) => checkpoint((x) => x.mul(value([1, calls++])))(x).sum();
    expect(() => grad(partly)(1)).toThrow(message);
    expect(grad((x: Value) => checkpoint((x) => x.mul(Number.NaN))(x))(1).item()).toBeNaN();
    expect(x.grad).toBe(null);
  });

  test("refuses a parameter that was replaced, where the result does not show it", () => {
    const [w, x, other] = [parameter(3, { label: "w" }), parameter(0), parameter(1)];
    const y = checkpoint((x) => x.mul(stopGradient(w)))(x);
    other.assign(2);
    y.backward();
    expect(x.grad?.item()).toBe(3);
    w.assign(4);
    // 0·w is 0 before and after; the slope w is not the same.
    const message =
      'checkpoint: f must compute the same each time, got "w" [], replaced by assign() since. Draw random numbers with a key, and call backward() before assign().';
    expect(() => y.backward()).toThrow(message);
    expect(() => detectAnomaly(() => y.backward())).toThrow(message);
    expect(x.grad?.item()).toBe(3);
  });

  test("allows what the function itself assigns, and buffers", () => {
    const [count, x] = [parameter(0), parameter(2)];
    const calls = buffer(0);
    const counting = checkpoint((x) => {
      calls.assign(calls.add(1));
      return x.mul(x);
    });
    counting(x).add(counting(x)).backward();
    expect([calls.item(), x.grad?.item()]).toEqual([4, 8]);
    x.grad = null as Value | null;
    const f = checkpoint((x) => {
      noGrad(() => count.assign(count.add(1)));
      return x.mul(x);
    });
    const y = f(x);
    const other = parameter(0);
    other.assign(1);
    y.backward();
    expect([count.item(), x.grad?.item()]).toEqual([2, 4]);
    expect(state.inspector).toBe(null);
  });

  test("shows what it runs again to who looks on", () => {
    const x = parameter(0);
    const y = checkpoint((x) => x.log())(x);
    parameter(0).assign(1);
    expect(() => detectAnomaly(() => y.backward())).toThrow(
      /got -Infinity from log\(identity 0\) for checkpoint/,
    );
  });

  test("holds no intermediate value", () => {
    const y = checkpoint((x) => x.exp().sin().tanh())(parameter(1));
    expect(y.inputs.length).toBe(1);
    expect(y.inputs[0]?.isParameter).toBe(true);
    const [w, constant] = [parameter(1), value(2)];
    expect(checkpoint(() => constant)(w).inputs).toEqual([w]);
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

  test("run forward or backward, as they are told or by what is cheaper", () => {
    const backwardOnly = customVjp(
      (x) => x.mul(1),
      (dy) => [dy],
    );
    const tall = (x: Value) => backwardOnly(x).mul(value([1, 2, 3]));
    expect(jacobian(tall, { mode: "reverse" })(2).toArray()).toEqual([1, 2, 3]);
    expect(() => jacobian(tall, { mode: "forward" })(2)).toThrow("jvp: a forward rule");
    expect(() => jacobian(tall)(2)).toThrow("jvp: a forward rule");
    const wide = (x: Value) => backwardOnly(x).sum();
    expect(jacobian(wide)(value([1, 2])).toArray()).toEqual([1, 1]);
    expect(() => jacobian(wide, { mode: "forward" })(value([1, 2]))).toThrow("jvp: a forward rule");
  });

  test("have the output's shape first and its dtype, where nothing is differentiated by too", () => {
    for (const mode of ["forward", "reverse"] as const) {
      const [nothing, two] = [value([], { dtype: "float32" }), value([1, 2], { dtype: "float32" })];
      const by = jacobian((x) => x.sum().mul(two), { mode })(nothing);
      expect([by.shape, by.dtype]).toEqual([[2, 0], "float32"]);
      const of = jacobian((x) => x.slice([0, 0]), { mode })(two);
      expect([of.shape, of.dtype]).toEqual([[0, 2], "float32"]);
    }
  });

  test("and linearize refuse what is not floating, and what is no value", () => {
    const whole = value(Int32Array.of(1, 2));
    const message = (where: string) =>
      `${where}: what is differentiated by must be float64 or float32, got int32. Cast it, for example with cast(x, "float64").`;
    expect(() => jacobian((x) => x)(whole)).toThrow(message("jacobian"));
    expect(() => linearize((x) => x, whole)).toThrow(message("linearize"));
    expect(() => linearize((() => 3) as never, 1)).toThrow("linearize: f must return a value, got 3.");
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
  const [, narrow] = linearize((x) => x, value([1], { dtype: "float32" }));
  expect(narrow([0.1]).data).toEqual(Float32Array.of(0.1));
  expect(() => push([1])).toThrow("linearize: a tangent must have its primal's shape [2], got [1].");
});
