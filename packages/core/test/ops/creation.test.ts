import {
  arange,
  eye,
  full,
  grad,
  linspace,
  meshgrid,
  ones,
  onesLike,
  parameter,
  type Value,
  value,
  zeros,
  zerosLike,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

// Expected numbers where no other source is named: NumPy 2.4.

test("zeros, ones and full make constants of a shape and a dtype", () => {
  expect(zeros([2, 1]).toArray()).toEqual([[0], [0]]);
  expect(ones([2]).dtype).toBe("float64");
  expect(ones([2], { dtype: "bool" }).dtype).toBe("bool");
  expect(full([], 3).item()).toBe(3);
  expect(full([2], 2.7, { dtype: "int32" }).toArray()).toEqual([2, 2]);
  expect(full([2], Number.NaN).toArray()).toEqual([Number.NaN, Number.NaN]);
  expect(zeros([0, 3]).shape).toEqual([0, 3]);
  expect(() => zeros([-1])).toThrow("zeros: sizes must be whole numbers ≥ 0, got [-1].");
  expect(() => ones([2], { dtype: "int64" as never })).toThrow(
    'ones: dtype must be one of bool, int32, float32, float64, got "int64".',
  );
});

test("zerosLike and onesLike take shape and dtype from a value, and carry no derivative", () => {
  const x = parameter([1, 2], { dtype: "float32" });
  expect(zerosLike(x).dtype).toBe("float32");
  expect(onesLike(x).toArray()).toEqual([1, 1]);
  expect(onesLike(x).isDifferentiable).toBe(false);
  expect(onesLike(x, { dtype: "int32" }).dtype).toBe("int32");
  expect(zerosLike(5).item()).toBe(0);
});

test("eye has ones on one diagonal", () => {
  expect(eye(2).toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(eye(2, 3, { offset: 1 }).toArray()).toEqual([
    [0, 1, 0],
    [0, 0, 1],
  ]);
  expect(eye(3, 2, { offset: -1, dtype: "int32" }).toArray()).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
  ]);
  expect(eye(2, 2, { offset: 5 }).toArray()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(eye(0).shape).toEqual([0, 0]);
  expect(() => eye(1.5)).toThrow("eye: sizes must be whole numbers ≥ 0, got [1.5, 1.5].");
});

test("arange counts up and down, without its end", () => {
  expect(arange(3).toArray()).toEqual([0, 1, 2]);
  expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
  expect(arange(0, 1, 0.3).toArray()).toEqual([0, 0.3, 0.6, 0.8999999999999999]);
  expect(arange(3, 0).toArray()).toEqual([]);
  expect(arange(0, 3, 1, { dtype: "int32" }).dtype).toBe("int32");
  expect(() => arange(0, 3, 0)).toThrow(
    "arange: ends must be finite and step must not be 0, got start 0, stop 3, step 0.",
  );
});

describe("linspace", () => {
  test("divides evenly, with or without its end, for each of several starts", () => {
    expect(linspace(2, 3, 5).toArray()).toEqual([2, 2.25, 2.5, 2.75, 3]);
    expect(linspace(2, 3, 5, { endpoint: false }).toArray()).toEqual([2, 2.2, 2.4, 2.6, 2.8]);
    expect(linspace([0, 1], [1, 3], 3).toArray()).toEqual([
      [0, 1],
      [0.5, 2],
      [1, 3],
    ]);
    expect(linspace(0, 1).size).toBe(50);
    expect(linspace(3, 9, 1).toArray()).toEqual([3]);
    expect(linspace(3, 9, 0).toArray()).toEqual([]);
    expect(linspace(0.1, 0.3, 7).data[6]).toBe(0.3);
    expect(linspace(value([0], { dtype: "float32" }), 1, 2).dtype).toBe("float32");
  });

  test("has derivatives by both ends", () => {
    const f = (a: Value, b: Value) => linspace(a, b, 3).mul([1, 10, 100]).sum();
    expect(grad(f, { argnums: [0, 1] })(0, 1).map((g) => g.item())).toEqual([6, 105]);
  });

  test("refuses fractional counts", () => {
    expect(() => linspace(0, 1, 1.5)).toThrow("linspace: count must be a whole number ≥ 0, got 1.5.");
  });
});

describe("meshgrid", () => {
  test("repeats vectors along the others' axes, columns first or not", () => {
    const [x, y] = meshgrid([
      [1, 2, 3],
      [4, 5],
    ]) as [Value, Value];
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(y.toArray()).toEqual([
      [4, 4, 4],
      [5, 5, 5],
    ]);
    const vectors = [[1, 2, 3], [4, 5], [6]];
    expect(meshgrid(vectors).map((g) => g.shape)).toEqual(new Array(3).fill([2, 3, 1]));
    expect(meshgrid(vectors, { indexing: "ij" }).map((g) => g.shape)).toEqual(new Array(3).fill([3, 2, 1]));
    expect(meshgrid([[1, 2]])[0]?.toArray()).toEqual([1, 2]);
    expect(meshgrid([])).toEqual([]);
  });
});

test("arange refuses a start or stop that is infinite whichever way the step leads", () => {
  expect(() => arange(Infinity, 3)).toThrow(
    "arange: ends must be finite and step must not be 0, got start Infinity, stop 3, step 1.",
  );
});
