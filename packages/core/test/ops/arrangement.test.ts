import {
  flip,
  grad,
  moveAxis,
  repeat,
  roll,
  split,
  swapAxes,
  tile,
  unfold,
  unstack,
  type Value,
  value,
  zeros,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

const x = value([
  [1, 2, 3],
  [4, 5, 6],
]);
const count = (n: number) => value(Float64Array.from({ length: n }, (_, i) => i));

// Expected numbers where no other source is named: NumPy 2.4.

test("flip reverses all axes, or some", () => {
  expect(flip(x).toArray()).toEqual([
    [6, 5, 4],
    [3, 2, 1],
  ]);
  expect(flip(x, 0).toArray()).toEqual([
    [4, 5, 6],
    [1, 2, 3],
  ]);
  expect(flip(x, [-1]).toArray()).toEqual([
    [3, 2, 1],
    [6, 5, 4],
  ]);
  expect(flip(5).item()).toBe(5);
  expect(flip(zeros([0, 2])).shape).toEqual([0, 2]);
  expect(() => flip(x, 2)).toThrow("flip: axis must be in [-2, 1] for rank 2, got 2.");
});

describe("roll", () => {
  test("moves elements on, those at the end to the start", () => {
    expect(roll(x, 1).toArray()).toEqual([
      [6, 1, 2],
      [3, 4, 5],
    ]);
    expect(roll(x, [1, -1], [0, 1]).toArray()).toEqual([
      [5, 6, 4],
      [2, 3, 1],
    ]);
    expect(roll(count(4), 1, [0, 0]).toArray()).toEqual([2, 3, 0, 1]);
    expect(roll(count(4), -9, 0).toArray()).toEqual([1, 2, 3, 0]);
    expect(roll(zeros([0]), 3, 0).shape).toEqual([0]);
    expect(roll(5, 1).item()).toBe(5);
  });

  test("refuses other numbers of shifts, and fractions", () => {
    expect(() => roll(x, [1, 2], 0)).toThrow("roll: one shift an axis (1), got 2.");
    expect(() => roll(x, 0.5, 0)).toThrow("roll: shift must be a whole number, got 0.5.");
  });
});

test("tile repeats the whole along old and new axes", () => {
  expect(tile([[1, 2]], [2, 2]).toArray()).toEqual([
    [1, 2, 1, 2],
    [1, 2, 1, 2],
  ]);
  expect(tile([1, 2], [2, 1, 2]).toArray()).toEqual([[[1, 2, 1, 2]], [[1, 2, 1, 2]]]);
  expect(tile(x, 2).shape).toEqual([2, 6]);
  expect(tile(3, 2).toArray()).toEqual([3, 3]);
  expect(tile(x, 0).shape).toEqual([2, 0]);
  expect(grad((x: Value) => tile(x, [2, 3]).sum())(value([1, 2])).toArray()).toEqual([6, 6]);
  expect(() => tile(x, -1)).toThrow("tile: counts must be a whole number ≥ 0, got -1.");
});

test("repeat repeats elements and slices, each as often as said", () => {
  expect(repeat(x, 2).toArray()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
  expect(repeat(x, [1, 2], 0).toArray()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
    [4, 5, 6],
  ]);
  expect(repeat(x, 2, -1).shape).toEqual([2, 6]);
  expect(repeat(x, [0, 0], 0).shape).toEqual([0, 3]);
  expect(() => repeat(x, [1], 0)).toThrow("repeat: one count an element along axis 0 (2), got 1.");
  expect(() => repeat(x, 1.5)).toThrow("repeat: counts must be a whole number ≥ 0, got 1.5.");
});

test("swapAxes and moveAxis put axes elsewhere", () => {
  const y = zeros([3, 4, 5, 6]);
  expect(swapAxes(y, 0, -1).shape).toEqual([6, 4, 5, 3]);
  expect(moveAxis(y, 0, -1).shape).toEqual([4, 5, 6, 3]);
  expect(moveAxis(y, [0, 1], [-1, -2]).shape).toEqual([5, 6, 4, 3]);
  expect(swapAxes(x, 0, 1).toArray()).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
  expect(() => moveAxis(y, [0, 1], [0])).toThrow(
    "moveAxis: one place an axis, all distinct, got axes [0, 1] and places [0].",
  );
  expect(() => moveAxis(y, [0, 0], [0, 1])).toThrow(
    "moveAxis: one place an axis, all distinct, got axes [0, 0] and places [0, 1].",
  );
});

describe("split and unstack", () => {
  const lists = (parts: Value[]) => parts.map((part) => part.toArray());

  test("cut into equal parts or at places", () => {
    expect(lists(split(count(6), 3))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(lists(split(count(6), [1, 4]))).toEqual([[0], [1, 2, 3], [4, 5]]);
    expect(lists(split(count(6), [4, 2, 9, -1]))).toEqual([[0, 1, 2, 3], [], [2, 3, 4, 5], [], [5]]);
    expect(split(x, 3, -1).map((part) => part.shape)).toEqual(new Array(3).fill([2, 1]));
    expect(lists(split(x, []))).toEqual([x.toArray()]);
    expect(lists(unstack(x, 1))).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(unstack([1, 2])[1]?.item()).toBe(2);
  });

  test("refuse what does not divide", () => {
    expect(() => split(x, 2, 1)).toThrow(
      "split: axis 1 must divide into 2 equal parts, got size 3. Give the places to cut at.",
    );
    expect(() => split(x, 0)).toThrow("split: parts must be a whole number ≥ 1, got 0.");
    expect(() => unstack(5)).toThrow("unstack: a scalar has no axes, got 0.");
  });
});

describe("unfold", () => {
  // PyTorch's documentation of Tensor.unfold: x = arange(1, 8); x.unfold(0, 2, 1) and x.unfold(0, 2, 2).
  test("gives the windows of PyTorch's documentation", () => {
    const x = value([1, 2, 3, 4, 5, 6, 7]);
    expect(unfold(x, 0, 2).toArray()).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ]);
    expect(unfold(x, 0, 2, 2).toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(unfold(zeros([4, 5, 6]), 1, 3).shape).toEqual([4, 3, 6, 3]);
  });

  test("adds up the gradients of windows that overlap", () => {
    expect(grad((x: Value) => unfold(x, 0, 2).sum())(count(4)).toArray()).toEqual([1, 2, 2, 1]);
  });

  test("refuses windows that do not fit", () => {
    expect(() => unfold(x, 1, 4)).toThrow("unfold: a window must fit axis 1 of size 3, got 4.");
    expect(() => unfold(x, 1, 2, 0)).toThrow("unfold: step must be a whole number ≥ 1, got 0.");
  });
});
