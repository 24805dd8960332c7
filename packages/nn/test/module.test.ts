/** Module: finding parameters, state by name, modes, printing. */
import { inspect } from "node:util";
import { parameter, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Linear, MLP, Module, ReLU, Sequential } from "../src/index.ts";
import { saying } from "./saying.ts";

/** A module that holds parameters in every way there is. */
class Holder extends Module {
  readonly first = parameter([1, 2]);
  readonly list = [parameter(1), new Linear(2, 1, { bias: false })];
  readonly record = { a: parameter(2), nested: { b: parameter(3) } };
  readonly map = new Map<string, unknown>([["c", parameter(4)]]);
  readonly constant = value(5);
  readonly settings = { size: 3, data: new Float32Array(2), when: new Date(0) };
  readonly again = this.first;
  #hidden = parameter(6);

  override forward(x: Value): Value {
    return x.mul(this.#hidden);
  }
}

class Plain extends Module {
  readonly parts: unknown;

  constructor(parts: unknown) {
    super();
    this.parts = parts;
  }

  override forward(x: Value): Value {
    return x;
  }
}

describe("Module", () => {
  test("namedParameters walks properties, arrays, objects and maps in the order of declaration", () => {
    const holder = new Holder();
    expect([...holder.namedParameters().keys()]).toEqual([
      "first",
      "list.0",
      "list.1.weight",
      "record.a",
      "record.nested.b",
      "map.c",
    ]);
    expect(holder.parameters()).toEqual([...holder.namedParameters().values()]);
    expect(holder.parameters()[0]).toBe(holder.first);
  });

  test("a shared parameter or module counts once, under its first name", () => {
    const shared = new Linear(2, 2);
    const model = new Sequential(shared, new ReLU(), shared);
    expect([...model.namedParameters().keys()]).toEqual(["layers.0.weight", "layers.0.bias"]);
    expect(model.modules()).toEqual([model, shared, model.layers[1]]);
    expect(String(model)).toBe(
      [
        "Sequential: 6 parameters",
        "├ layers.0: Linear 2 → 2",
        "│ ├ weight: [2, 2] float32",
        "│ └ bias: [2] float32",
        "├ layers.1: ReLU",
        "└ layers.2: Linear 2 → 2",
        "  ├ weight: [2, 2] float32",
        "  └ bias: [2] float32",
      ].join("\n"),
    );
  });

  test("walks modules, arrays and objects that contain themselves", () => {
    const loop: unknown[] = [parameter(1)];
    loop.push(loop);
    const inner = new Plain(loop);
    const outer = new Plain({ inner, self: null as unknown });
    (outer.parts as { self: unknown }).self = outer;
    expect([...outer.namedParameters().keys()]).toEqual(["parts.inner.parts.0"]);
    expect(String(outer)).toBe(
      ["Plain: 1 parameter", "└ parts.inner: Plain", "  └ parts.0: [] float64"].join("\n"),
    );
  });

  test("namedParameters refuses two parameters of one name", () => {
    const model = new Plain({ "a.b": parameter(1), a: { b: parameter(2) } });
    expect(() => model.namedParameters()).toThrow(
      saying(
        'namedParameters: names must be distinct, got two parameters "parts.a.b". Rename a key that has a dot in it.',
      ),
    );
  });

  test("stateDict is a copy of constants that later assignments leave alone", () => {
    const model = new Linear(2, 1, { seed: 1 });
    const state = model.stateDict();
    const before = state["weight"]?.toArray();
    model.weight.assign([[9, 9]]);
    expect(state["weight"]?.toArray()).toEqual(before);
    expect(Object.values(state).some((x) => x.isParameter || x.isDifferentiable)).toBe(false);
    expect(Object.values(state).map((x) => x.dtype)).toEqual(["float32", "float32"]);
  });

  test("loadStateDict brings a state back to the last bit", () => {
    const from = new MLP([3, 4, 2], { seed: 1 });
    const to = new MLP([3, 4, 2], { seed: 2 });
    to.loadStateDict(from.stateDict());
    expect(to.parameters().map((x) => x.data)).toEqual(from.parameters().map((x) => x.data));
    expect(to.parameters().every((x) => x.isParameter)).toBe(true);
  });

  test("loadStateDict converts to the parameters' dtypes", () => {
    const model = new Linear(1, 1);
    model.loadStateDict({ weight: value([[0.1]]), bias: value([2]) });
    expect(model.weight.dtype).toBe("float32");
    expect(model.weight.toArray()).toEqual([[Math.fround(0.1)]]);
  });

  test("loadStateDict changes nothing unless all of it fits", () => {
    const model = new MLP([2, 3, 1], { seed: 1 });
    const before = model.stateDict();
    const numbers = (state: Record<string, Value>) => Object.values(state).map((x) => Array.from(x.data));
    const other = new MLP([2, 3, 1], { seed: 2 }).stateDict();
    const { "layers.1.bias": _, ...missing } = other;
    const bad: [Record<string, Value>, string, string?][] = [
      [
        { ...missing, "layers.2.bias": value([1]) },
        'loadStateDict: state must have the same names, got missing "layers.1.bias"; unexpected "layers.2.bias".',
      ],
      [
        { ...other, "layers.1.bias": value([1, 2]) },
        'loadStateDict: "layers.1.bias" must have shape [1], got [2].',
        "ShapeError",
      ],
      [
        { ...other, "layers.1.bias": 1 as unknown as Value },
        'loadStateDict: "layers.1.bias" must be a value, got number.',
      ],
      [
        {},
        'loadStateDict: state must have the same names, got missing "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias".',
      ],
      [
        Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, value(1)])),
        'loadStateDict: state must have the same names, got missing "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"; unexpected "a", "b", "c", "d", 2 more.',
      ],
    ];
    for (const [state, message, name] of bad) {
      expect(() => model.loadStateDict(state)).toThrow(saying(message, name));
      expect(numbers(model.stateDict())).toEqual(numbers(before));
    }
    expect(() => model.loadStateDict(null as unknown as Record<string, Value>)).toThrow(
      saying("loadStateDict: state must be an object of values by name."),
    );
  });

  test("loadStateDict takes what it knows when it is not strict, and still checks shapes first", () => {
    const model = new Linear(2, 1);
    model.loadStateDict({ weight: value([[1, 2]]), extra: value(3) }, { strict: false });
    expect(model.weight.toArray()).toEqual([[1, 2]]);
    expect(() => model.loadStateDict({ weight: value([[3, 4]]), bias: value(0) }, { strict: false })).toThrow(
      saying('loadStateDict: "bias" must have shape [1], got [].', "ShapeError"),
    );
    expect(model.weight.toArray()).toEqual([[1, 2]]);
  });

  test("train and eval switch all modules below", () => {
    const model = new Sequential(new Linear(1, 1), new Sequential(new ReLU()));
    const modes = () => model.modules().map((module) => module.training);
    expect(modes()).toEqual([true, true, true, true]);
    expect(model.eval()).toBe(model);
    expect(modes()).toEqual([false, false, false, false]);
    expect(model.train()).toBe(model);
    expect(modes()).toEqual([true, true, true, true]);
    expect(model.train(false).training).toBe(false);
  });

  test("zeroGrad clears all gradients", () => {
    const model = new Linear(1, 1);
    model
      .forward(value([[1]]))
      .sum()
      .backward();
    expect(model.weight.grad).not.toBeNull();
    model.zeroGrad();
    expect(model.parameters().map((x) => x.grad)).toEqual([null, null]);
  });

  test("prints as a tree with the number of parameters", () => {
    const model = new Sequential(new MLP([2, 3, 1]), new Holder());
    const text = [
      "Sequential: 21 parameters",
      "├ layers.0: MLP 2 → 3 → 1",
      "│ ├ layers.0: Linear 2 → 3",
      "│ │ ├ weight: [3, 2] float32",
      "│ │ └ bias: [3] float32",
      "│ └ layers.1: Linear 3 → 1",
      "│   ├ weight: [1, 3] float32",
      "│   └ bias: [1] float32",
      "└ layers.1: Holder",
      "  ├ first: [2] float64",
      "  ├ list.0: [] float64",
      "  ├ list.1: Linear 2 → 1",
      "  │ └ weight: [1, 2] float32",
      "  ├ record.a: [] float64",
      "  ├ record.nested.b: [] float64",
      "  ├ map.c: [] float64",
      "  └ again: [2] float64",
    ].join("\n");
    expect(String(model)).toBe(text);
    expect(inspect(model)).toBe(String(model));
  });
});
