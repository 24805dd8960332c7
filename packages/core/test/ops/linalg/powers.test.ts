import { conditionNumber, expm, lstsq, matrixNorm, matrixPower, pinv, transpose, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { A, B, expectClose, TALL } from "./matrices.ts";

describe("matrixPower", () => {
  test("gives NumPy's numbers", () => {
    expectClose(matrixPower(A, 5), [
      [28.465109975099995, -7.668744287299998, -0.40490093039999997, 6.800386412199997],
      [-12.488947396999997, 3.8597007914999995, -2.8237967900999994, -16.659355941199998],
      [6.251308448500001, -1.3907123157999999, 0.8283194150999997, 7.5044522665999995],
      [7.4540526296000005, -1.3992295773, -2.9043984267, -10.3619840096],
    ]);
    expect(
      matrixPower(
        [
          [1, 2],
          [3, 4],
        ],
        -1,
      ).toArray(),
    ).toEqual(
      value([
        [1, 2],
        [3, 4],
      ])
        .inverse()
        .toArray(),
    );
    expect(
      matrixPower(
        [
          [1, 2],
          [3, 4],
        ],
        0,
      ).toArray(),
    ).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(matrixPower(value([[2]], { dtype: "float32" }), 0).dtype).toBe("float32");
    expect(() => matrixPower([[1]], 0.5)).toThrow("matrixPower: exponent must be a whole number, got 0.5.");
  });
});

describe("expm", () => {
  test("agrees with mpmath at 40 digits", () => {
    expectClose(expm(A), [
      [6.51456595469222, -1.4787919535510332, -0.025971298339295235, 1.3871261302858418],
      [-2.9353035794415203, 1.6760577036080166, 0.11467397189684451, -1.4677642516147915],
      [1.831659196264321, 0.12890792163938505, 0.5614462648132081, -0.016742858585191138],
      [1.011333627364806, -0.3781543586229432, -0.09796707715499946, 0.5325612664801448],
    ]);
  });

  test("scales large matrices, and is NaN for infinite ones", () => {
    expectClose(
      expm([
        [0, -20],
        [20, 0],
      ]),
      [
        [Math.cos(20), -Math.sin(20)],
        [Math.sin(20), Math.cos(20)],
      ],
    );
    expect(expm([[0]]).toArray()).toEqual([[1]]);
    expect(expm([[Infinity]]).toArray()).toEqual([[Number.NaN]]);
  });
});

describe("pinv and lstsq", () => {
  test("give NumPy's numbers", () => {
    const y = [
      [-0.17205315020337794, -0.5019917446333717, 0.18582889077386242, -0.03824143249616959],
      [-0.25485931188986877, -0.12127761398946493, 0.19982670551056303, -0.26406840657879915],
      [-0.04469866019824823, 0.13604696037013428, -0.554665425084046, -0.1872959413416641],
    ];
    expectClose(pinv(TALL), y);
    expectClose(pinv(transpose(TALL)), transpose(y));
    expectClose(lstsq(TALL, B), [
      [0.09136482478751079, 0.6976452169135082],
      [0.2597831653415771, -0.35111322755128094],
      [-0.8300041180745276, -0.6769262632762807],
    ]);
  });

  test("leave what is small next to the largest singular value out", () => {
    expectClose(
      pinv([
        [1, 1],
        [1, 1],
      ]),
      [
        [0.25, 0.25],
        [0.25, 0.25],
      ],
    );
    expect(pinv([[0, 0]]).toArray()).toEqual([[0], [0]]);
    expectClose(
      pinv(
        [
          [1, 0],
          [0, 0.01],
        ],
        { rcond: 0.1 },
      ),
      [
        [1, 0],
        [0, 0],
      ],
    );
    expect(() => lstsq([[1], [2]], [1, 2, 3])).toThrow(
      "lstsq: a and b must have the same number of rows, got a [2, 1], b [3].",
    );
  });
});

describe("matrixNorm and conditionNumber", () => {
  test("give NumPy's numbers", () => {
    const norms = [
      ["fro", 4.264023921133651, 33.7063550400988],
      ["nuc", 6.8999683362407005, 66.39490837291],
      [1, 5.63, 42.113372862758716],
      [-1, 3.14, 2.4097078135644754],
      [2, 3.4589444127883664, 24.980798493595987],
      [-2, 1.334972905109012, 0.04003074602504629],
      [Infinity, 3.76, 37.80161594082797],
      [-Infinity, 1.91, 5.394208379139137],
    ] as const;
    for (const [order, norm, condition] of norms) {
      expectClose(matrixNorm(TALL, order), norm);
      expectClose(conditionNumber(A, order), condition);
    }
    expect(() => matrixNorm(A, 3)).toThrow(
      'matrixNorm: order must be "fro", "nuc", 1, 2, Infinity or their negatives, got 3.',
    );
  });
});

test("matrixNorm of an empty matrix is 0, as in NumPy", () => {
  for (const order of ["fro", "nuc", 1, 2, Infinity] as const) {
    expect(matrixNorm(value([], { shape: [0, 3] }), order).item()).toBe(0);
    expect(matrixNorm(value([], { shape: [2, 3, 0] }), order).toArray()).toEqual([0, 0]);
  }
});
