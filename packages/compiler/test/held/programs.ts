/** Programs, random and chosen: whatever they are compiled to must compute what eager code does, call after call. */

import { compile, type Target } from "@adjoint/compiler";
import {
  add,
  broadcastTo,
  buffer,
  cast,
  eig,
  full,
  grad,
  isFinite,
  isInf,
  maxPool,
  mul,
  pad,
  parameter,
  segmentSum,
  sort,
  sum,
  take,
  type Value,
  value,
} from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disagreement } from "../agreement.ts";
import { printProgram, programs } from "../programs.ts";

/** Holds a target to eager code in programs with parameters; of random ones with state and without so many runs each. */
export function holdPrograms(target: Target, runs: readonly [number, number]): void {
  describe(`programs compiled to ${target.name}`, () => {
    test.each([
      ["with parameters that change", 4, runs[0]],
      ["of arguments alone", 0, runs[1]],
    ])("compute what eager code does: random ones %s", (_, states, numRuns) => {
      fc.assert(
        fc.property(programs(states), (program) => {
          const found = disagreement(program, target);
          expect(found, printProgram(program)).toBeNull();
        }),
        { numRuns, seed: 1 },
      );
    });

    /** What calls of a function give, and what its states hold after each. */
    function sequence(
      make: () => { readonly states: readonly Value[]; readonly f: (x: Value) => Value[] },
      compiled: boolean,
    ): unknown {
      const { states, f } = make();
      const call = compiled ? compile(f, { target }) : f;
      return [1, 2, 3].map((n) => {
        const results = call(value([n, -n, n / 2])).map((y) => y.toArray());
        return [results, states.map((w) => [w.toArray(), w.grad?.toArray()])];
      });
    }
    const expectSame = (make: Parameters<typeof sequence>[0]) =>
      expect(sequence(make, true)).toEqual(sequence(make, false));

    test("a call that an evaluation ends changes no parameter", () => {
      const w = parameter([
        [1, 2],
        [3, 4],
      ]);
      // The product by 2 is of the size of the sum, and would be done with it.
      const step = compile(
        (a: Value) => {
          w.assign(w.mul(2));
          return eig(add(a, 1)).eigenvalues;
        },
        { target },
      );
      const real = value([
        [1, 0],
        [0, 2],
      ]);
      const complex = value([
        [-1, 0],
        [-2, -1],
      ]);
      step(real);
      expect(() => step(complex)).toThrow("eigenvalues must be real");
      expect(w.toArray()).toEqual([
        [2, 4],
        [6, 8],
      ]);
      step(real);
      expect(w.toArray()).toEqual([
        [4, 8],
        [12, 16],
      ]);
    });

    test("a swap of parameters reads both before it writes", () => {
      expectSame(() => {
        const states = [parameter([1, 2, 3]), parameter([4, 5, 6]), parameter([7, 8, 9])] as const;
        const [a, b, c] = states;
        return {
          states,
          f: (x) => {
            const [first, second] = [add(a, 0), add(b, 0)];
            const old = [a, b, c].map((w) => mul(w, x));
            a.assign(second);
            b.assign(c);
            c.assign(first);
            return old;
          },
        };
      });
    });

    test("parameters that take on each other's old data are rotated", () => {
      expectSame(() => {
        const states = [buffer([1, 2, 3]), buffer([4, 5, 6]), buffer([7, 8, 9])] as const;
        const [a, b, c] = states;
        return {
          states,
          f: () => {
            const kept = buffer([0, 0, 0]);
            kept.assign(a);
            a.assign(b);
            b.assign(c);
            c.assign(kept);
            return [];
          },
        };
      });
    });

    test("several updates in one pass read the old data of all", () => {
      expectSame(() => {
        const states = [parameter([1, 2, 3]), parameter([4, 5, 6])] as const;
        const [a, b] = states;
        return {
          states,
          f: (x) => {
            const [next, other] = [mul(x, 2), add(mul(a, 2), mul(b, b))];
            a.assign(next);
            b.assign(other);
            return [];
          },
        };
      });
    });

    test("a gradient that is a parameter's data stays as it was when the parameter changes", () => {
      expectSame(() => {
        const states = [parameter([1, 2, 3]), parameter([4, 5, 6])] as const;
        const [w, c] = states;
        return {
          states,
          f: (x) => {
            w.grad = null;
            add(w, x).backward(c);
            c.assign(add(c, 1));
            return [];
          },
        };
      });
    });

    /** One call of a function of one value. */
    const at = (f: (x: Value) => Value, x: Value) => {
      const expected = f(x).toArray();
      expect(compile(f, { target })(x).toArray()).toEqual(expected);
      return expected;
    };

    test("whole numbers and masks meet constants that they do not have", () => {
      const numbers = value(Int32Array.of(0, 1, -5));
      expect(at(isInf, numbers)).toEqual([0, 0, 0]);
      expect(at(isFinite, numbers)).toEqual([1, 1, 1]);
      expect(at((x) => isInf(x.gt(0)), numbers)).toEqual([0, 0, 0]);
    });

    test.each(["float64", "float32"] as const)(
      "ones are added where %s data tells, few and many",
      (dtype) => {
        for (const size of [3, 100]) {
          const x = value(
            Array.from({ length: size }, (_, k) => (k * 37) % 101),
            { dtype },
          );
          const places = value(
            Array.from({ length: size }, (_, k) => (k % 3) - 1),
            { dtype: "int32" },
          );
          const taken = (x: Value, at: Value) => grad((z: Value) => sum(take(z, at)))(x);
          expect(compile(taken, { target })(x, places).toArray()).toEqual(taken(x, places).toArray());
          at((x) => grad((z: Value) => sum(sort(z)))(x), x);
          at((x) => grad((z: Value) => take(z, z.argmax()))(x), x);
        }
        at(
          (x) => grad((z: Value) => sum(maxPool(z, 2)))(x),
          value(
            Array.from({ length: 64 }, (_, k) => (k * 37) % 101),
            { dtype },
          ).reshape([1, 1, 8, 8]),
        );
        const many = value(
          Array.from({ length: 100 }, (_, k) => k % 7),
          { dtype: "int32" },
        );
        expect(at((i) => segmentSum(full([100], 1, { dtype: "int32" }), i, 7), many)).toEqual([
          15, 15, 14, 14, 14, 14, 14,
        ]);
      },
    );

    test("numbers beyond 32 bits become integers as in JavaScript", () => {
      const numbers = [
        1e10,
        -1e10,
        2 ** 63,
        2 ** 70 + 2 ** 20,
        -(2 ** 31),
        Infinity,
        -Infinity,
        NaN,
        -0.9,
        3.9,
      ];
      const expected = numbers.map((x) => x | 0);
      expect(at((x) => cast(x, "int32"), value(numbers))).toEqual(expected);
      expect(at((x) => cast(x, "int32"), value(numbers, { dtype: "float32" }))).toEqual(
        numbers.map((x) => Math.fround(x) | 0),
      );
    });

    test("sums over nothing are zeros, and what is padded around nothing is the padding", () => {
      const nothing = value([], { shape: [0, 3, 2] });
      expect(at((x) => sum(x, [0, 2]), nothing)).toEqual([0, 0, 0]);
      const around = value([], { shape: [2, 0, 3] });
      expect(at((x) => pad(x, [1, 0], { value: 5 }), around)).toEqual(
        new Array(3).fill([new Array(4).fill(5)]),
      );
    });

    const cosines = value(Float64Array.from({ length: 9 }, (_, i) => Math.cos(i)));

    test("a number that is the same all along is summed as often as it stands there", () => {
      for (const dtype of ["float64", "float32", "int32"] as const) {
        const rows = (x: Value) => sum(add(x.reshape([3, 1]), cast(value(new Array(9).fill(0)), dtype)), 1);
        expect(at(rows, value([1, 2, 3], { dtype }))).toEqual([9, 18, 27]);
      }
      const f = (x: Value) => {
        const wide = broadcastTo(x, [3, 9]);
        const mask = broadcastTo(x.gt(1), [3, 9]);
        return [sum(wide, 1), sum(mask, 1), add(wide, cosines)];
      };
      const x = value([[1], [2], [3]]);
      expect(compile(f, { target })(x).map((y) => y.toArray())).toEqual(f(x).map((y) => y.toArray()));
    });
  });
}
