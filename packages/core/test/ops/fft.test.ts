import { fft, ifft, irfft, random, rfft, stack, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

const Z = [
  [1, 2],
  [3, -1],
  [2, 5],
];

function expectNear(x: Value, reference: readonly (readonly [number, number])[] | readonly number[]): void {
  const wanted = value(reference);
  expect(x.shape).toEqual(wanted.shape);
  x.data.forEach((n, i) => {
    expect(n).toBeCloseTo(wanted.data[i] as number, 7);
  });
}

describe("fft, ifft, rfft, irfft", () => {
  test("give NumPy's numbers", () => {
    expectNear(rfft([1.5, -2, 0.25, 3, 1]), [
      [3.75, 0],
      [-1.43832223, 4.46957899],
      [3.31332223, -0.85204966],
    ]);
    expectNear(rfft([1.5, -2, 0.25, 3, 1], { size: 4 }), [
      [2.75, 0],
      [1.25, 5],
      [0.75, 0],
    ]);
    expectNear(irfft(Z), [2.25, 0.25, -0.75, -0.75]);
    expectNear(irfft(Z, { size: 5 }), [2.2, -0.8715411, 1.61362034, -2.66083393, 0.7187547]);
    expectNear(fft(Z, { norm: "ortho" }), [
      [3.46410162, 3.46410162],
      [-3.8660254, -0.5],
      [2.1339746, 0.5],
    ]);
    expectNear(ifft(Z, { size: 4, norm: "forward" }), [
      [6, 6],
      [0, 0],
      [0, 8],
      [-2, -6],
    ]);
  });

  test("equal the sums they stand for at sizes of every kind", () => {
    // A power of 2, small factors, a prime by the definition, large primes by the chirp.
    for (const n of [1, 2, 8, 12, 15, 49, 53, 106, 211]) {
      const x = random.normal(random.key(n), [n, 2], { dtype: "float64" });
      const y = fft(x);
      const back = ifft(y);
      for (let j = 0; j < n; j++) {
        let [re, im] = [0, 0];
        for (let k = 0; k < n; k++) {
          const angle = (-2 * Math.PI * ((j * k) % n)) / n;
          const [a, b] = [x.data[2 * k] as number, x.data[2 * k + 1] as number];
          re += a * Math.cos(angle) - b * Math.sin(angle);
          im += a * Math.sin(angle) + b * Math.cos(angle);
        }
        expect(y.data[2 * j]).toBeCloseTo(re, 11);
        expect(y.data[2 * j + 1]).toBeCloseTo(im, 11);
        expect(back.data[2 * j]).toBeCloseTo(x.data[2 * j] as number, 13);
      }
    }
  });

  test("of real numbers are exactly real where they must be", () => {
    for (const n of [4, 6, 16, 30]) {
      const y = rfft(random.normal(random.key(n), [n], { dtype: "float64" }));
      expect(Math.abs(y.data[1] as number)).toBe(0);
      expect(Math.abs(y.data[n + 1] as number)).toBe(0);
    }
  });

  test("go along any axis but that of the pairs", () => {
    const x = random.normal(random.key(1), [3, 4], { dtype: "float64" });
    const byColumns = stack(
      [0, 1, 2, 3].map((j) => rfft(x.slice(null, j))),
      1,
    );
    rfft(x, { axis: 0 }).data.forEach((n, i) => {
      expect(n).toBeCloseTo(byColumns.data[i] as number, 14);
    });
    expect(fft(value([], { shape: [0, 3, 2] })).shape).toEqual([0, 3, 2]);
    expect(rfft(value(new Int32Array([1, 2]))).dtype).toBe("float64");
  });

  test("say what is wrong", () => {
    expect(() => fft([1, 2])).toThrow(
      "fft: complex numbers as pairs along a last axis of size 2, of rank 2 or more, got shape [2].",
    );
    expect(() => rfft(1)).toThrow("rfft: at least one axis, got shape [].");
    expect(() => fft(Z, { size: 0 })).toThrow("fft: size must be a whole number ≥ 1, got 0.");
    expect(() => fft(Z, { norm: "unit" as "ortho" })).toThrow(
      'fft: norm must be "backward", "forward" or "ortho", got "unit".',
    );
    expect(() => fft(Z, { axis: 1 })).toThrow("fft: axis must be in [-1, 0] for rank 1, got 1.");
  });
});
