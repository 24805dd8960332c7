import { type Compiled, compile, explain } from "@adjoint/compiler";
import { add, type Value, value } from "@adjoint/core";
import { expectTypeOf, test } from "vitest";

test("a compiled function takes what the function takes, numbers for values too, and gives what it gives", () => {
  const f = compile((x: Value, options: { rate: Value; names: readonly string[] }) => ({
    y: x.mul(options.rate),
    n: 3,
  }));
  expectTypeOf(f).returns.toEqualTypeOf<{ y: Value; n: number }>();
  expectTypeOf(f).parameter(0).toEqualTypeOf<Value | number>();
  f(value([1]), { rate: 0.1, names: ["a"] });
  // @ts-expect-error an argument is missing
  f(1);
  // @ts-expect-error a text is no value
  f("1", { rate: 0.1, names: [] });
});

test("parameters of functions without types are values", () => {
  const f = compile((a, b) => add(a, b));
  expectTypeOf(f).returns.toEqualTypeOf<Value>();
  expectTypeOf(f).toExtend<Compiled<[Value, Value], Value>>();
  expectTypeOf(f.dispose).returns.toEqualTypeOf<void>();
});

test("options and what is explained are checked", () => {
  // @ts-expect-error there is no such target
  compile((x: Value) => x, { target: "fortran" });
  // @ts-expect-error f is no function
  compile(3);
  // @ts-expect-error not compiled
  explain((x: Value) => x);
});
