/** Activations: names, and modules beside their functions. */
import { relu, sigmoid, softmax, softplus, tanh, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { activations, type Module, ReLU, Sigmoid, Softmax, Softplus, Tanh } from "../../src/index.ts";

const x = value([
  [-2, 0.5],
  [1, 3],
]);

test.each<[string, Module, (x: Value) => Value]>([
  ["ReLU", new ReLU(), relu],
  ["Sigmoid", new Sigmoid(), sigmoid],
  ["Softmax", new Softmax(), (z) => softmax(z, -1)],
  ["Softmax of axis 0", new Softmax(0), (z) => softmax(z, 0)],
  ["Softplus", new Softplus(), softplus],
  ["Tanh", new Tanh(), tanh],
])("%s computes its function and has no parameters", (_, module, f) => {
  expect(module.forward(x).toArray()).toEqual(f(x).toArray());
  expect(module.parameters()).toEqual([]);
});

test("activations are known by name", () => {
  expect(Object.keys(activations)).toEqual(["relu", "sigmoid", "softmax", "softplus", "tanh"]);
  expect(activations.softmax(x).toArray()).toEqual(softmax(x, -1).toArray());
  expect(activations.tanh).toBe(tanh);
});
