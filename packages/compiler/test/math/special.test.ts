import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";

const ENDS = {
  float32: [2 ** -149, 2 ** -126 - 2 ** -149, 2 ** -126, 3.4028234663852886e38],
  float64: [2 ** -1074, 2 ** -1022 - 2 ** -1074, 2 ** -1022, Number.MAX_VALUE],
} as const;

/** How a result looks from afar. */
function kind(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  const size = Math.abs(x);
  const sign = x < 0 || Object.is(x, -0) ? "-" : "+";
  return sign + (size === 0 ? "0" : size === 1 ? "1" : size === Infinity ? "Infinity" : "finite");
}

for (const dtype of ["float32", "float64"] as const) {
  const round = numberLanes(dtype, false).constant;
  const sizes = [0, ...ENDS[dtype], 0.5, 1, 1.5, 2, 3, 100, 1000, 1e9, Infinity];
  const points = [...sizes.flatMap((size) => [size, -size]), NaN];
  for (const f of laneFunctions.values()) {
    test(`${f.name} of ${dtype} has the signs, zeros, ones, infinities and NaN of the function of numbers`, () => {
      const tuples =
        f.arity === 1 ? points.map((x) => [x]) : points.flatMap((x) => points.map((y) => [x, y]));
      let seen = 0;
      for (const m of [numberLanes(dtype, false), numberLanes(dtype, true)]) {
        for (const xs of tuples) {
          if (f.covers !== null && !f.covers(xs, m)) continue;
          seen++;
          expect(kind(f.fast(xs, m)), `${f.name}(${xs})`).toBe(kind(round(f.scalar(...xs))));
        }
      }
      expect(seen).toBeGreaterThan(20);
    });
  }
}

test("sin and cos of float64 keep their digits where they cross 0, next to multiples of π/2", () => {
  let worst = 0;
  for (const m of [numberLanes("float64", false), numberLanes("float64", true)]) {
    for (let k = 1; k <= 200_000; k++) {
      const x = k * (Math.PI / 2);
      const f = laneFunctions.get(k % 2 === 0 ? "sin" : "cos");
      const expected = k % 2 === 0 ? Math.sin(x) : Math.cos(x);
      worst = Math.max(worst, Math.abs(((f?.fast([x], m) ?? Number.NaN) - expected) / expected));
    }
  }
  expect(worst).toBeLessThan(5e-16);
});
