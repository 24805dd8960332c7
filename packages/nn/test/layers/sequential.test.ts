/** Sequential: order, functions between modules. */
import { relu, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Flatten, type Layer, Linear, Sequential } from "../../src/index.ts";
import { saying } from "../saying.ts";

describe("Sequential", () => {
  test("applies modules and functions in order", () => {
    const model = new Sequential(
      (x) => x.add(1),
      relu,
      new Flatten(),
      (x) => x.mul(2),
    );
    expect(model.forward(value([[-5, 1]])).toArray()).toEqual([[0, 4]]);
  });

  test("of nothing gives its input", () => {
    const x = value([1]);
    expect(new Sequential().forward(x)).toBe(x);
  });

  test("names parameters by the place of their layer", () => {
    const model = new Sequential(new Linear(1, 1), relu, new Sequential(new Linear(1, 1, { bias: false })));
    expect([...model.namedParameters().keys()]).toEqual([
      "layers.0.weight",
      "layers.0.bias",
      "layers.2.layers.0.weight",
    ]);
  });

  test("refuses what is neither a module nor a function", () => {
    expect(() => new Sequential(new Linear(1, 1), "relu" as unknown as Layer)).toThrow(
      saying("Sequential: layers must be modules or functions, got string at place 1."),
    );
    expect(() => new Sequential([relu] as unknown as Layer)).toThrow(
      saying("Sequential: layers must be modules or functions, got an array at place 0."),
    );
  });
});
