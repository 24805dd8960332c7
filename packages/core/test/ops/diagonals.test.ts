import { diag, diagEmbed, diagonal, grad, trace, tril, triu, type Value, value, zeros } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const a = value(
  Float64Array.from({ length: 24 }, (_, i) => i),
  { shape: [2, 3, 4] },
);

// Expected numbers where no other source is named: NumPy 2.4.

describe("diagonal and trace", () => {
  test("over any two axes and any diagonal", () => {
    expect(diagonal(a, 1, 2, 1).toArray()).toEqual([
      [4, 9],
      [16, 21],
    ]);
    expect(diagonal(a, -1, 1, 2).toArray()).toEqual([
      [4, 9],
      [16, 21],
    ]);
    expect(diagonal(a).toArray()).toEqual([
      [0, 16],
      [1, 17],
      [2, 18],
      [3, 19],
    ]);
    expect(diagonal(a, 9, 1, 2).shape).toEqual([2, 0]);
    expect(diagonal(zeros([0, 3])).shape).toEqual([0]);
    expect(trace(a).toArray()).toEqual([16, 18, 20, 22]);
    expect(trace(zeros([0, 0])).item()).toBe(0);
  });

  test("refuse vectors, equal axes and fractions", () => {
    expect(() => diagonal([1])).toThrow("diagonal: a matrix, or a batch of them, got [1].");
    expect(() => diagonal(a, 0, 1, -2)).toThrow("diagonal: axes must be distinct, got [1, -2].");
    expect(() => diagonal(a, 0.5)).toThrow("diagonal: offset must be a whole number, got 0.5.");
  });
});

test("diag and diagEmbed put a vector on a diagonal", () => {
  expect(diag([1, 2], -1).toArray()).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [0, 2, 0],
  ]);
  expect(
    diag([
      [1, 2, 3],
      [4, 5, 6],
    ]).toArray(),
  ).toEqual([1, 5]);
  expect(
    diagEmbed(
      [
        [1, 2],
        [3, 4],
      ],
      1,
    ).toArray(),
  ).toEqual([
    [
      [0, 1, 0],
      [0, 0, 2],
      [0, 0, 0],
    ],
    [
      [0, 3, 0],
      [0, 0, 4],
      [0, 0, 0],
    ],
  ]);
  expect(diag(zeros([0])).shape).toEqual([0, 0]);
  expect(diag(value(Int32Array.of(1))).dtype).toBe("int32");
  expect(
    grad((x: Value) =>
      diag(x)
        .mul([
          [1, 2],
          [3, 4],
        ])
        .sum(),
    )(value([1, 1])).toArray(),
  ).toEqual([1, 4]);
  expect(() => diag(5)).toThrow("diag: a vector or a matrix, got [].");
  expect(() => diagEmbed(5)).toThrow("diagEmbed: at least one axis, got a scalar.");
});

test("triu and tril keep a triangle, and drop NaN beyond it", () => {
  expect(triu(a, 1).slice(0).toArray()).toEqual([
    [0, 1, 2, 3],
    [0, 0, 6, 7],
    [0, 0, 0, 11],
  ]);
  expect(tril(a, -1).slice(1).toArray()).toEqual([
    [0, 0, 0, 0],
    [16, 0, 0, 0],
    [20, 21, 0, 0],
  ]);
  expect(tril([[1, Number.NaN]]).toArray()).toEqual([[1, 0]]);
  expect(triu(value(Int32Array.of(1, 2), { shape: [1, 2] })).dtype).toBe("int32");
  expect(() => triu([1])).toThrow("triu: a matrix, or a batch of them, got [1].");
});

test("triangles of bools are bools", () => {
  expect(triu([[true, true, true]], 1).dtype).toBe("bool");
  expect(tril([[true, true, true]]).dtype).toBe("bool");
});
