import * as m from "@adjoint/core";
import { type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { planOf } from "../../src/graph/plan.ts";
import { printSteps } from "../../src/graph/print.ts";
import type { Program } from "../../src/program.ts";
import { programOf } from "../agreement.ts";

const printed = (program: Program) => printSteps(planOf(program).steps);
/** A function's steps as text. */
const steps = (f: (...xs: Value[]) => unknown, ...examples: Value[]) => printed(programOf(f, examples));

const scalar = value(0);
const vector = value(new Float64Array(5));
const single = value(new Float32Array(5));
const matrix = value(new Float64Array(20), { shape: [4, 5] });
const tensor = value(new Float64Array(24), { shape: [2, 3, 4] });
const places = value(Int32Array.of(0, 1, 2, 0));

describe("planOf", () => {
  test("computes a value and its gradient in one pass", () => {
    const f = (x: Value, y: Value) => m.valueAndGrad((x: Value) => m.sum(m.mul(m.tanh(x), y)))(x);
    expect(steps(f, vector, vector)).toBe(`kernel tanh_mul_sum_scale_8 {
  r1: f64 = 0
  r2: f64 = 1
  r12: f64 = begin sum
  for i0 < 5 {
    r0: f64 = b0[i0]
    r3: f64 = tanh(r0)
    r4: f64 = b1[i0]
    r5: f64 = mul(r3, r4)
    r12 sum= r5
    r6: f64 = sub(r2, r3)
    r7: f64 = add(r2, r3)
    r8: f64 = mul(r6, r7)
    r9: mask = eq(r4, r1)
    r10: f64 = mul(r4, r8)
    r11: f64 = select(r9, r1, r10)
    b3[i0] = r11
  }
  b2[0] = r12
}`);
  });

  test("joins loops that all places cross in one step, and no others", () => {
    expect(steps((x) => m.exp(x), tensor)).toBe(`kernel exp {
  for i0 < 24 {
    r0: f64 = b0[i0]
    r3: f64 = exp(r0)
    b1[i0] = r3
  }
}`);
    expect(steps((x, b) => m.add(x, b), matrix, vector)).toBe(`kernel add {
  for i0 < 4 {
    for i1 < 5 {
      r0: f64 = b0[5·i0 + i1]
      r1: f64 = b1[i1]
      r4: f64 = add(r0, r1)
      b2[5·i0 + i1] = r4
    }
  }
}`);
  });

  test("reads through views: transposes, and slices that go backwards", () => {
    const backwards = (x: Value) => m.sin(m.transpose(m.slice(x, null, [null, null, -2])));
    expect(steps(backwards, matrix)).toBe(`kernel sin {
  for i0 < 3 {
    for i1 < 4 {
      r0: f64 = b0[5·i1 + -2·i0 + 4]
      r3: f64 = sin(r0)
      b1[4·i0 + i1] = r3
    }
  }
}`);
    const ofTransposed = (x: Value) => m.sin(m.slice(m.transpose(x), [null, null, -1]));
    expect(steps(ofTransposed, matrix)).toBe(`kernel sin {
  for i0 < 5 {
    for i1 < 4 {
      r0: f64 = b0[-1·i0 + 5·i1 + 4]
      r3: f64 = sin(r0)
      b1[4·i0 + i1] = r3
    }
  }
}`);
  });

  test("sums along the last axis in a register, in float64 where numbers are float32", () => {
    expect(steps((x) => m.sum(x, 1), matrix)).toBe(`kernel sum {
  for i0 < 4 {
    r1: f64 = begin sum
    for i1 < 5 {
      r0: f64 = b0[5·i0 + i1]
      r1 sum= r0
    }
    b1[i0] = r1
  }
}`);
    expect(steps((x) => m.sum(m.square(x)), single)).toBe(`kernel square_sum {
  r4: f64 = begin sum
  for i0 < 5 {
    r0: f32 = b0[i0]
    r3: f32 = mul(r0, r0)
    r4 sum= r3
  }
  r5: f32 = convert(r4)
  b1[0] = r5
}`);
  });

  test("folds along other axes in memory, which it fills before", () => {
    expect(steps((x) => m.sum(x, 0), matrix)).toBe(`kernel sum {
  b1[…] = 0
  for i0 < 4 {
    for i1 < 5 {
      r0: f64 = b0[5·i0 + i1]
      b1[i1] sum= r0
    }
  }
}`);
    expect(steps((x) => m.max(x, [0, 2]), tensor)).toBe(`kernel max {
  b1[…] = -Infinity
  for i0 < 2 {
    for i1 < 3 {
      r1: f64 = begin max
      for i2 < 4 {
        r0: f64 = b0[12·i0 + 4·i1 + i2]
        r1 max= r0
      }
      b1[i1] max= r1
    }
  }
}`);
  });

  test("fills without loops where there is nothing to fold", () => {
    expect(steps((x) => m.sum(x, [0, 2]), value([], { shape: [0, 3, 2] }))).toBe(`kernel sum {
  b1[…] = 0
}`);
  });

  test("writes parts of a whole where they are computed", () => {
    expect(steps((x) => m.concat([m.sin(x), x]), vector)).toBe(`kernel sin_concat_3 {
  for i0 < 5 {
    r0: f64 = b0[i0]
    r3: f64 = sin(r0)
    b1[i0] = r3
    b1[i0 + 5] = r0
  }
}`);
    expect(steps((x) => m.pad(x, [1, 2], { value: 7 }), vector)).toBe(`kernel pad {
  b1[…] = 7
  for i0 < 5 {
    r0: f64 = b0[i0]
    b1[i0 + 1] = r0
  }
}`);
  });

  test("picks rows by number, and adds to them, within their axis", () => {
    expect(steps((x, i) => m.sum(m.take(x, i, 0), 1), matrix, places)).toBe(`kernel take_sum {
  r1: i32 = 0
  r4: i32 = 4
  r14: f64 = NaN
  for i0 < 4 {
    r0: i32 = b0[i0]
    r3: mask = lt(r0, r1)
    r5: i32 = add(r0, r4)
    r6: i32 = select(r3, r5, r0)
    r7: mask = le(r1, r6)
    r8: mask = lt(r6, r4)
    r9: mask = and(r7, r8)
    r10: i32 = select(r9, r6, r1)
    r16: f64 = begin sum
    for i1 < 5 {
      r11: f64 = b1[i1 + 5·r10]
      r15: f64 = select(r9, r11, r14)
      r16 sum= r15
    }
    b2[i0] = r16
  }
}`);
    // What is known of indices is not checked again.
    expect(steps((x) => m.take(x, places, 0), matrix)).toBe(`kernel take {
  for i0 < 4 {
    r0: i32 = b0[i0]
    for i1 < 5 {
      r3: f64 = b1[i1 + 5·r0]
      b2[5·i0 + i1] = r3
    }
  }
}`);
    expect(steps((x, i) => m.segmentSum(x, i, 3), matrix, places)).toBe(`kernel untake {
  b2[…] = 0
  r2: i32 = 0
  r5: i32 = 3
  r12: f64 = 0
  for i0 < 4 {
    r0: i32 = b0[i0]
    r4: mask = lt(r0, r2)
    r6: i32 = add(r0, r5)
    r7: i32 = select(r4, r6, r0)
    r8: mask = le(r2, r7)
    r9: mask = lt(r7, r5)
    r10: mask = and(r8, r9)
    r11: i32 = select(r10, r7, r2)
    for i1 < 5 {
      r1: f64 = b1[5·i0 + i1]
      r14: f64 = select(r10, r1, r12)
      b2[i1 + 5·r11] sum= r14
    }
  }
}`);
  });

  test("computes a comparison where the derivative selects by it, and the value not at all", () => {
    const weights = value(new Float64Array(15), { shape: [5, 3] });
    const f = (x: Value, w: Value) => m.grad((w: Value) => m.sum(m.relu(m.matmul(x, w))))(w);
    expect(steps(f, matrix, weights)).toBe(`product b2 = b0·b1 : float64 [4×5]·[5×3]
kernel lt_where {
  r0: f64 = 0
  r2: f64 = 1
  for i0 < 12 {
    r1: f64 = b2[i0]
    r3: mask = lt(r0, r1)
    r5: f64 = select(r3, r2, r0)
    b3[i0] = r5
  }
}
product b4 = b0·b3 : float64 [5×4]·[4×3]`);
  });

  test("makes batches of products, and straight lines of scalars", () => {
    const weights = value(new Float64Array(8), { shape: [4, 2] });
    expect(steps((x, w) => m.matmul(x, w), tensor, weights)).toBe(
      "product b2 = b0·b1 : float64 [3×4]·[4×2], 2 times",
    );
    expect(steps((x, y) => m.mul(m.sin(x), m.add(x, y)), scalar, scalar)).toBe(`kernel sin_add_mul {
  r0: f64 = b0[0]
  r3: f64 = sin(r0)
  r4: f64 = b1[0]
  r5: f64 = add(r0, r4)
  r6: f64 = mul(r3, r5)
  b2[0] = r6
}`);
  });

  /** A program of no arguments whose states are replaced by what a function makes of them. */
  const updating = (f: (...states: Value[]) => Value[], ...states: Value[]): Program => ({
    graph: m.capture(f, ...states),
    arguments: 0,
    results: 0,
    updates: states.map((_, i) => i),
  });

  test("writes new data of states over the old when all that is read there has been", () => {
    expect(printed(updating((a, b) => [m.mul(b, 2), m.add(a, b)], vector, vector))).toBe(`kernel mul_add {
  r1: f64 = 2
  for i0 < 5 {
    r0: f64 = b0[i0]
    r4: f64 = mul(r0, r1)
    r5: f64 = b1[i0]
    r6: f64 = add(r5, r0)
    b1[i0] = r4
    b0[i0] = r6
  }
}`);
  });

  test("does not write over what is read elsewhere, or later, or is wanted as it was", () => {
    expect(printed(updating((a) => [m.add(a, m.flip(a))], vector))).toBe(`kernel add {
  for i0 < 5 {
    r0: f64 = b0[i0]
    r1: f64 = b0[-1·i0 + 4]
    r4: f64 = add(r0, r1)
    b1[i0] = r4
  }
}
copy b0 = b1`);
    expect(printed(updating((a, b) => [b, a], vector, vector))).toBe(`copy b2 = b1
copy b3 = b0
copy b0 = b2
copy b1 = b3`);
  });
});
