import { dot, einsum, inner, kron, outer, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const range = (shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return value(
    Array.from({ length: size }, (_, i) => i + 1),
    { shape },
  );
};

describe("einsum", () => {
  // Right-hand sides: numpy.einsum 2.4.6 of the same operands.
  test("follows NumPy for traces, diagonals, transposes, broadcasting and implicit results", () => {
    const a = range([2, 3]);
    const b = range([3, 3]);
    expect(einsum("ii", b).toArray()).toBe(15);
    expect(einsum("ii->i", b).toArray()).toEqual([1, 5, 9]);
    expect(einsum("ji", a).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(einsum("ij,jk", a, b).toArray()).toEqual([
      [30, 36, 42],
      [66, 81, 96],
    ]);
    expect(einsum("i...->...", range([2, 3, 2])).toArray()).toEqual([
      [8, 10],
      [12, 14],
      [16, 18],
    ]);
    expect(einsum("...j,kj->...k", range([2, 1, 3]), a).toArray()).toEqual([[[14, 32]], [[32, 77]]]);
    expect(einsum("iij,j", range([2, 2, 3]), value([1, 0, 1])).toArray()).toBe(26);
    expect(einsum("iji->j", range([2, 3, 2])).toArray()).toEqual([9, 13, 17]);
    expect(einsum("i,j,ij->", value([1, 2]), value([1, 1, 2]), a).toArray()).toBe(51);
    expect(einsum(" i j -> j i ", value([[1, 2]])).toArray()).toEqual([[1], [2]]);
  });

  test("repeats axes of size 1, as NumPy does", () => {
    expect(einsum("ij,ij->i", value([[1], [2]]), value([[1, 2, 3]])).toArray()).toEqual([6, 12]);
    expect(einsum("ij,jk->ik", value([[2]]), range([1, 2])).toArray()).toEqual([[2, 4]]);
  });

  test("of four operands equals the product in order", () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((k) =>
      random.normal(random.key(k), [k + 1, k + 2], { dtype: "float64" }),
    ) as [Value, Value, Value, Value];
    const chain = a.matmul(b).matmul(c).matmul(d);
    const y = einsum("ab,bc,cd,de->ae", a, b, c, d);
    y.data.forEach((x, i) => {
      expect(x).toBeCloseTo(chain.data[i] as number, 12);
    });
  });

  test("gives the same whatever the order of the operands' axes", () => {
    const orders = (letters: string): string[] =>
      letters.length < 2
        ? [letters]
        : [...letters].flatMap((l) => orders(letters.replace(l, "")).map((rest) => l + rest));
    const size: Record<string, number> = { b: 2, i: 3, j: 4, k: 5 };
    const [a, c] = [
      [2, 3, 5],
      [2, 5, 4],
    ].map((shape, k) => random.normal(random.key(k), shape, { dtype: "float64" })) as [Value, Value];
    const wanted = a.matmul(c);
    for (const left of orders("bik")) {
      for (const right of orders("bkj")) {
        const x = einsum(`bik->${left}`, a);
        expect(x.shape).toEqual([...left].map((l) => size[l]));
        const y = einsum(`${left},${right}->bij`, x, einsum(`bkj->${right}`, c));
        expect(y.shape).toEqual(wanted.shape);
        y.data.forEach((n, i) => {
          expect(n).toBeCloseTo(wanted.data[i] as number, 12);
        });
      }
    }
  });

  test("says what is wrong with an expression or the shapes", () => {
    const a = range([2, 3]);
    expect(() => einsum("ij-jk", a)).toThrow(
      'einsum: an expression of letters and "...", as in "ij,jk->ik", got "ij-jk".',
    );
    expect(() => einsum("ij,jk->ik", a)).toThrow('einsum: as many operands as "ij,jk->ik" names (2), got 1.');
    expect(() => einsum("ij->ik", a)).toThrow(
      "einsum: indices of the result must be different and occur in an operand, got k.",
    );
    expect(() => einsum("i", a)).toThrow('einsum: operand 0 must have the axes of "i", got shape [2, 3].');
    expect(() => einsum("ii", a)).toThrow(
      "einsum: axes of operand 0 with the repeated index i must have one size, got 2 and 3.",
    );
    expect(() => einsum("ij,ji->", a, a)).toThrow(
      "einsum: axes with one index must have one size, or 1 (j in ij,ji->), got 3 and 2.",
    );
  });
});

describe("dot, inner, outer, kron", () => {
  test("follow NumPy", () => {
    const a = range([2, 3]);
    expect(dot(2, a).toArray()).toEqual([
      [2, 4, 6],
      [8, 10, 12],
    ]);
    expect(dot(a, range([2, 3, 1])).toArray()).toEqual([
      [[14], [32]],
      [[32], [77]],
    ]);
    expect(inner(a, range([1, 3])).toArray()).toEqual([[14], [32]]);
    expect(outer(value([[1], [2]]), 3).toArray()).toEqual([[3], [6]]);
    expect(kron([1, 2], [[1, 10]]).toArray()).toEqual([[1, 10, 2, 20]]);
    expect(dot(value([], { shape: [0] }), value([], { shape: [0] })).toArray()).toBe(0);
  });

  test("refuse sizes that differ", () => {
    expect(() => dot([1, 2], [1, 2, 3])).toThrow(
      "dot: the summed sizes must match, got 2 and 3 (a [2], b [3]).",
    );
    expect(() => inner([1, 2], [1, 2, 3])).toThrow(
      "inner: the summed sizes must match, got 2 and 3 (a [2], b [3]).",
    );
  });
});
