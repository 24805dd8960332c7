/** What all optimisers share: which parameters they take, what a step touches, state, convergence. */
import { parameter, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import {
  Adadelta,
  Adagrad,
  AdaMax,
  Adam,
  AdamW,
  AMSGrad,
  MLP,
  meanSquaredError,
  NAdam,
  type Optimizer,
  RMSprop,
  SGD,
} from "../../src/index.ts";
import { saying } from "../saying.ts";
import { GRADIENTS } from "./following.ts";

type Make = (parameters: Iterable<Value>) => Optimizer;

/** Each with options under which it converges on the quadratic below. */
const optimizers: [name: string, make: Make][] = [
  ["SGD", (xs) => new SGD(xs, { learningRate: 0.2 })],
  ["SGD with momentum", (xs) => new SGD(xs, { learningRate: 0.05, momentum: 0.9 })],
  [
    "SGD with Nesterov's momentum",
    (xs) => new SGD(xs, { learningRate: 0.05, momentum: 0.9, nesterov: true }),
  ],
  ["Adagrad", (xs) => new Adagrad(xs, { learningRate: 1 })],
  ["Adadelta", (xs) => new Adadelta(xs, { learningRate: 10, epsilon: 1e-4 })],
  ["RMSprop", (xs) => new RMSprop(xs, { learningRate: 1e-3 })],
  [
    "centred RMSprop with momentum",
    (xs) => new RMSprop(xs, { learningRate: 1e-4, centered: true, momentum: 0.9 }),
  ],
  ["Adam", (xs) => new Adam(xs, { learningRate: 0.05 })],
  ["AdamW", (xs) => new AdamW(xs, { learningRate: 0.05, weightDecay: 1e-6 })],
  ["AMSGrad", (xs) => new AMSGrad(xs, { learningRate: 0.05 })],
  ["AdaMax", (xs) => new AdaMax(xs, { learningRate: 0.05 })],
  ["NAdam", (xs) => new NAdam(xs, { learningRate: 0.05 })],
];

describe.each(optimizers)("%s", (_, make) => {
  test("finds the minimum of a quadratic", () => {
    const x = parameter([2, -3]);
    const optimizer = make([x]);
    for (let i = 0; i < 4000; i++) {
      optimizer.zeroGrad();
      x.sub([1, -1]).square().mul([0.5, 2]).sum().backward();
      optimizer.step();
    }
    expect(Math.abs((x.data[0] as number) - 1)).toBeLessThan(1e-3);
    expect(Math.abs((x.data[1] as number) + 1)).toBeLessThan(1e-3);
  });

  test("goes on bit for bit after its state is saved and loaded", () => {
    const train = (model: MLP, optimizer: Optimizer, from: number, to: number) => {
      for (let i = from; i < to; i++) {
        optimizer.learningRate *= 0.9;
        optimizer.zeroGrad();
        const x = value([[Math.sin(i), Math.cos(i)]], { dtype: "float32" });
        meanSquaredError(model.forward(x), [[Math.sin(2 * i)]]).backward();
        optimizer.step();
      }
    };
    const sizes = [2, 3, 1];
    const whole = new MLP(sizes, { activation: "tanh", seed: 5 });
    train(whole, make(whole.parameters()), 0, 12);

    const first = new MLP(sizes, { activation: "tanh", seed: 5 });
    const before = make(first.parameters());
    train(first, before, 0, 5);
    const saved = { model: first.stateDict(), optimizer: before.stateDict() };
    train(first, before, 5, 7);
    const second = new MLP(sizes, { activation: "tanh", seed: 6 });
    const after = make(second.parameters());
    second.loadStateDict(saved.model);
    after.loadStateDict(saved.optimizer);
    train(second, after, 5, 12);

    expect(second.parameters().map((x) => x.data)).toEqual(whole.parameters().map((x) => x.data));
  });

  test("leaves parameters without a gradient, and their state, alone", () => {
    const used = parameter([1, 2]);
    const unused = parameter([3, 4]);
    const optimizer = make([unused, used]);
    for (const [a, b] of GRADIENTS) {
      used.grad = value([a as number, b as number]);
      optimizer.step();
    }
    const alone = parameter([1, 2]);
    const other = make([alone]);
    for (const [a, b] of GRADIENTS) {
      alone.grad = value([a as number, b as number]);
      other.step();
    }
    expect(unused.toArray()).toEqual([3, 4]);
    expect(unused.version).toBe(0);
    expect(used.toArray()).toEqual(alone.toArray());
  });

  test("keeps the parameters' and the state's dtypes and shapes", () => {
    const xs = [
      parameter([[1, 2]], { dtype: "float32" }),
      parameter(3),
      parameter(4, { dtype: "float32" }),
      parameter([], { shape: [0] }),
    ];
    const optimizer = make(xs);
    const types = () =>
      Object.entries(optimizer.stateDict()).map(([name, x]) => [name, x.dtype, x.shape] as const);
    const before = types();
    for (const x of xs)
      x.grad = value(new Float64Array(x.size).fill(0.5), { shape: x.shape, dtype: x.dtype });
    optimizer.step();
    expect(xs.map((x) => x.dtype)).toEqual(["float32", "float64", "float32", "float64"]);
    expect(types()).toEqual(before);
    expect(optimizer.stateDict()["learningRate"]?.dtype).toBe("float64");
  });

  test("records nothing", () => {
    const x = parameter([1, 2]);
    const optimizer = make([x]);
    x.square().sum().backward();
    optimizer.step();
    expect(x.inputs).toEqual([]);
    expect(Object.values(optimizer.stateDict()).some((state) => state.isDifferentiable)).toBe(false);
  });
});

describe("Optimizer", () => {
  const x = parameter([1, 2], { label: "x" });
  const invalid: [string, unknown, string][] = [
    [
      "no parameters",
      [],
      "SGD: parameters must hold at least one parameter, got none. Pass model.parameters().",
    ],
    [
      "a duplicate",
      [x, parameter(1), x],
      "SGD: parameters must be distinct, got the same one at places 0 and 2.",
    ],
    [
      "a constant",
      [x, value([1, 2, 3])],
      "SGD: parameters must all be made by parameter(), got a value of shape [3] at place 1. Pass model.parameters().",
    ],
    [
      "a number",
      [3],
      "SGD: parameters must all be made by parameter(), got number at place 0. Pass model.parameters().",
    ],
    ["one value", x, "SGD: parameters must be a list of parameters, got one value. Pass model.parameters()."],
    [
      "a module",
      new MLP([1, 1]),
      "SGD: parameters must be a list of parameters, got object. Pass model.parameters().",
    ],
  ];
  test.each(invalid)("refuses %s", (_, parameters, message) => {
    expect(() => new SGD(parameters as Value[])).toThrow(saying(message));
  });

  test("takes any iterable, once", () => {
    const model = new MLP([2, 2]);
    expect(new SGD(model.namedParameters().values()).parameters).toEqual(model.parameters());
  });

  test("has a learning rate that can be set", () => {
    const w = parameter(1);
    const optimizer = new SGD([w], { learningRate: 0.5 });
    expect(optimizer.learningRate).toBe(0.5);
    optimizer.learningRate = 0;
    expect(optimizer.learningRate).toBe(0);
    w.grad = value(1);
    optimizer.step();
    expect(w.item()).toBe(1);
    expect(() => {
      optimizer.learningRate = -1;
    }).toThrow(saying("SGD: learningRate must be ≥ 0, got -1."));
    expect(() => {
      optimizer.learningRate = Number.POSITIVE_INFINITY;
    }).toThrow(saying("SGD: learningRate must be ≥ 0, got Infinity."));
  });

  test("zeroGrad clears all gradients", () => {
    const w = parameter(1);
    w.square().backward();
    new SGD([w]).zeroGrad();
    expect(w.grad).toBeNull();
  });

  test("stateDict is a copy that later steps leave alone", () => {
    const w = parameter([1, 2]);
    const optimizer = new Adam([w]);
    const before = optimizer.stateDict();
    w.grad = value([1, 1]);
    optimizer.step();
    expect(before["0.step"]?.item()).toBe(0);
    expect(before["0.firstMoment"]?.toArray()).toEqual([0, 0]);
    expect(optimizer.stateDict()["0.step"]?.item()).toBe(1);
  });

  test("loadStateDict changes nothing unless all of it fits", () => {
    const w = parameter([1, 2]);
    const optimizer = new Adam([w]);
    w.grad = value([1, 1]);
    optimizer.step();
    const before = optimizer.stateDict();
    const plain = (state: Record<string, Value>) =>
      Object.fromEntries(Object.entries(state).map(([name, s]) => [name, s.toArray()]));
    const bad: [Record<string, Value>, string, string?][] = [
      [
        { ...before, "0.secondMoment": value([1, 2, 3]), learningRate: value(7) },
        'Adam.loadStateDict: "0.secondMoment" must have shape [2], got [3].',
        "ShapeError",
      ],
      [
        { ...before, "1.step": value(1) },
        'Adam.loadStateDict: state must have the same names, got unexpected "1.step".',
      ],
      [
        { learningRate: value(7) },
        'Adam.loadStateDict: state must have the same names, got missing "0.step", "0.firstMoment", "0.secondMoment".',
      ],
      [
        { ...before, "0.step": value(5), learningRate: value(-1) },
        "Adam.loadStateDict: learningRate must be ≥ 0, got -1.",
      ],
    ];
    for (const [state, message, name] of bad) {
      expect(() => optimizer.loadStateDict(state)).toThrow(saying(message, name));
      expect(plain(optimizer.stateDict())).toEqual(plain(before));
    }
  });
});
