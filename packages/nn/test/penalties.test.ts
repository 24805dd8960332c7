/** Penalties: values, derivatives, and their kinship with weight decay. */
import { parameter, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { l1Penalty, l2Penalty, SGD } from "../src/index.ts";
import { saying } from "./saying.ts";

test("l2Penalty sums squares over all parameters", () => {
  const xs = [
    parameter([
      [1, 2],
      [3, 4],
    ]),
    parameter(-5),
  ];
  const penalty = l2Penalty(xs, 0.5);
  expect(penalty.item()).toBe(27.5);
  penalty.backward();
  expect(xs.map((x) => x.grad?.toArray())).toEqual([
    [
      [1, 2],
      [3, 4],
    ],
    -5,
  ]);
});

test("l1Penalty sums absolute values over all parameters", () => {
  const xs = [parameter([1, -2, 0]), parameter(-5)];
  const penalty = l1Penalty(xs.values(), 0.5);
  expect(penalty.item()).toBe(4);
  penalty.backward();
  expect(xs.map((x) => x.grad?.toArray())).toEqual([[0.5, -0.5, 0], -0.5]);
});

test("an optimiser's weightDecay is an l2Penalty of half the weight", () => {
  const [decayed, penalised] = [parameter([1, -2]), parameter([1, -2])];
  decayed.grad = value([0, 0]);
  new SGD([decayed], { learningRate: 0.5, weightDecay: 0.25 }).step();
  l2Penalty([penalised], 0.125).backward();
  new SGD([penalised], { learningRate: 0.5 }).step();
  expect(decayed.toArray()).toEqual(penalised.toArray());
});

test("penalties of nothing are 0", () => {
  expect(l2Penalty([], 1).item()).toBe(0);
  expect(l1Penalty([], 1).item()).toBe(0);
});

test("penalties refuse a weight below 0", () => {
  expect(() => l2Penalty([], -1)).toThrow(saying("l2Penalty: weight must be ≥ 0, got -1."));
  expect(() => l1Penalty([], Number.NaN)).toThrow(saying("l1Penalty: weight must be ≥ 0, got NaN."));
});
