import { compile, explain } from "@adjoint/compiler";
import { adaptiveMaxPool, grad, maxPool, mul, type PoolOptions, sum, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";

/** Small whole numbers, so that most windows have ties; every so often NaN. */
const image = (shape: number[], dtype: "float32" | "float64", nan: boolean) =>
  value(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      nan && i % 23 === 5 ? NaN : ((i * i * 7 + i * 3) % 11) - 5,
    ),
    { shape, dtype },
  );

const CASES: readonly (readonly [number | number[], PoolOptions])[] = [
  [2, {}],
  [3, { stride: 1 }],
  [[2, 3], { stride: [3, 2] }],
  [2, { dilation: 2, stride: 1 }],
  [[1, 4], { stride: 1 }],
  [[9, 10], {}],
];

test.each(CASES)(
  "maxima of windows %j, %j, are kernels with the places that eager code finds",
  (window, options) => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const nan of [false, true]) {
        const x = image([2, 3, 9, 10], dtype, nan);
        const weights = image([2, 3, ...maxPool(x, window, options).shape.slice(2)], dtype, false);
        const both = (x: Value, weights: Value) => [
          maxPool(x, window, options),
          grad((x: Value) => sum(mul(maxPool(x, window, options), weights)))(x),
        ];
        const compiled = compile(both);
        compiled(x, weights).forEach((y, i) => {
          expect(y.toArray()).toEqual((both(x, weights)[i] as Value).toArray());
        });
        expect(explain(compiled)).toContain(", 0 evaluations by core");
      }
    }
  },
);

test("maxima of padded and uneven windows are as eager code has them", () => {
  const x = image([2, 3, 9, 10], "float64", true);
  for (const f of [
    (x: Value) => maxPool(x, 3, { padding: 1 }),
    (x: Value) => maxPool(x, 4, { ceilMode: true }),
    (x: Value) => adaptiveMaxPool(x, [4, 7]),
    (x: Value) => adaptiveMaxPool(x, [3, 5]),
  ])
    expect(compile(f)(x).toArray()).toEqual(f(x).toArray());
});
