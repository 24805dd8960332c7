import { value } from "@adjoint/core";
import { expect, test } from "vitest";

const f64 = value([1.5, 2.5]);
const f32 = value(Float32Array.of(1.5, 2.5));
const i32 = value(Int32Array.of(1, 2));
const bool = value([true, false]);

// NumPy 1.x, np.result_type of two arrays.
test("tensors promote as in NumPy", () => {
  expect(f64.add(f32).dtype).toBe("float64");
  expect(f32.add(f32).dtype).toBe("float32");
  expect(i32.add(f32).dtype).toBe("float64");
  expect(i32.add(i32).dtype).toBe("int32");
  expect(bool.add(i32).dtype).toBe("int32");
  expect(bool.mul(f32).dtype).toBe("float32");
});

test("a number or a scalar never widens a tensor of its kind", () => {
  expect(f32.add(0.1).dtype).toBe("float32");
  expect(f32.mul(value(0.1)).dtype).toBe("float32");
  expect(value(0.1).sub(f32).dtype).toBe("float32");
  expect(i32.add(1).dtype).toBe("int32");
  expect(i32.add(0.5).dtype).toBe("float64");
  expect(i32.add(2 ** 40).dtype).toBe("float64");
  expect(i32.mul(value(0.5)).dtype).toBe("float64");
  expect(f32.sum().mul(0.5).dtype).toBe("float32");
});

test("integers divide to float64 and multiply exactly, wrapping", () => {
  expect(i32.div(2).toArray()).toEqual([0.5, 1]);
  const large = value(Int32Array.of(123456789));
  expect(large.mul(large).toArray()).toEqual([Math.imul(123456789, 123456789)]);
  expect(large.square().toArray()).toEqual([Math.imul(123456789, 123456789)]);
  const scalar = value(123456789, { dtype: "int32" });
  expect(scalar.mul(scalar).item()).toBe(Math.imul(123456789, 123456789));
  expect(value(2147483647, { dtype: "int32" }).add(1).item()).toBe(-2147483648);
});

test("a number beside float32 is rounded to it before it is compared", () => {
  expect(value(Float32Array.of(0.1)).eq(0.1).toArray()).toEqual([1]);
  expect(value(0.1, { dtype: "float32" }).eq(0.1).item()).toBe(1);
});

test("float32 scalars round after each operation", () => {
  const x = value(0.1, { dtype: "float32" });
  expect(x.mul(x).item()).toBe(Math.fround(Math.fround(0.1) * Math.fround(0.1)));
  expect(x.mul(x).dtype).toBe("float32");
});

test("comparisons give bool, sums of bool int32, means of integers float64", () => {
  expect(f32.gt(2).dtype).toBe("bool");
  expect(bool.sum().dtype).toBe("int32");
  expect(bool.sum().item()).toBe(1);
  expect(i32.mean().item()).toBe(1.5);
});

test("where takes its dtype from the choices, not the condition", () => {
  expect(bool.where(f32, 0).dtype).toBe("float32");
  expect(i32.where(f32, f32).dtype).toBe("float32");
  expect(bool.where(1, 0).dtype).toBe("float64");
});
