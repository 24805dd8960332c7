import { grad, jvp, type Value, value, valueAndGrad, vjp } from "@adjoint/core";
import { expectTypeOf, test } from "vitest";

test("grad types its function's parameters and its result", () => {
  expectTypeOf(grad((x) => x.mul(x))).toEqualTypeOf<(x: Value | number) => Value>();
  expectTypeOf(grad(grad((x) => x.mul(x)))(3)).toEqualTypeOf<Value>();
  expectTypeOf(grad((x, y) => x.mul(y), { argnums: [0, 1] })(1, 2)).toEqualTypeOf<[Value, Value]>();
  expectTypeOf(
    grad((p: { w: Value; b: [Value, Value] }) => p.w.mul(p.b[0]))({ w: 1, b: [1, 2] }),
  ).toEqualTypeOf<{
    w: Value;
    b: [Value, Value];
  }>();
  expectTypeOf(valueAndGrad((x: Value, scale: number) => x.mul(scale))(1, 2)).toEqualTypeOf<[Value, Value]>();
  expectTypeOf(vjp((x) => ({ y: x.sum() }), value([1]))[0]).toEqualTypeOf<{ y: Value }>();
  expectTypeOf(jvp((x) => x.sum(), [value([1])], [value([1])])).toEqualTypeOf<[Value, Value]>();
});

test("what must not compile does not", () => {
  // @ts-expect-error a string is no operand
  value([1]).add("2");
  // @ts-expect-error a gradient needs a scalar Value, not a number
  grad((x: Value) => x.item());
  // @ts-expect-error no such dtype
  value([1], { dtype: "float16" });
  // @ts-expect-error data cannot be replaced by assignment
  value([1]).data = new Float64Array(1);
});
