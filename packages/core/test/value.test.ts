import { inspect } from "node:util";
import { parameter, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

describe("value", () => {
  test("value of a number is a float64 scalar", () => {
    const x = value(3);
    expect([x.shape, x.rank, x.size, x.dtype, x.item()]).toEqual([[], 0, 1, "float64", 3]);
  });

  test("value of nested arrays has the shape of the nesting", () => {
    const x = value([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.data).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6));
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test("value of a typed array keeps its type, smaller integers become int32", () => {
    expect(value(Float32Array.of(1, 2)).dtype).toBe("float32");
    expect(value(Int32Array.of(1, 2)).dtype).toBe("int32");
    expect(value(Uint8Array.of(1, 200)).toArray()).toEqual([1, 200]);
    expect(value(Uint8Array.of(1, 200)).dtype).toBe("int32");
    expect(value(Uint32Array.of(4294967295)).toArray()).toEqual([4294967295]);
  });

  test("value of booleans is bool and reads as 0 and 1", () => {
    expect(value([true, false]).dtype).toBe("bool");
    expect(value([true, false]).toArray()).toEqual([1, 0]);
    expect(value(true).item()).toBe(1);
  });

  test("value copies what it is given", () => {
    const data = Float64Array.of(1, 2);
    const x = value(data);
    data[0] = 9;
    expect(x.toArray()).toEqual([1, 2]);
  });

  test("value takes an array over where it need not copy or convert it", () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(value(data, { copy: false, shape: [2, 2] }).data).toBe(data);
    expect(parameter(data, { copy: false }).data).toBe(data);
    const converted = value(data, { copy: false, dtype: "float64" });
    expect([converted.dtype, converted.data]).toEqual(["float64", Float64Array.of(1, 2, 3, 4)]);
    // Bytes need not be 0 or 1.
    const bytes = Uint8Array.of(0, 2);
    expect(value(bytes, { copy: false, dtype: "bool" }).toArray()).toEqual([0, 1]);
    expect(value(Int32Array.of(7), { copy: false, shape: [] }).item()).toBe(7);
    expect(value([1, 2], { copy: false }).toArray()).toEqual([1, 2]);
  });

  test("value with a shape reshapes flat data, also to a scalar and to nothing", () => {
    expect(value([1, 2, 3, 4], { shape: [2, 2] }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(value([7], { shape: [] }).item()).toBe(7);
    expect(value([], { shape: [2, 0] }).toArray()).toEqual([[], []]);
    expect(value([[], []]).shape).toEqual([2, 0]);
  });

  test("value rounds to the dtype asked for", () => {
    expect(value(0.1, { dtype: "float32" }).item()).toBe(Math.fround(0.1));
    expect(value([1.9, -1.9], { dtype: "int32" }).toArray()).toEqual([1, -1]);
    expect(value([0, 0.2, -3], { dtype: "bool" }).toArray()).toEqual([0, 1, 1]);
  });

  test("value refuses ragged, foreign and ill-fitting data with a sentence", () => {
    expect(() => value([[1, 2], [3]])).toThrow(
      "value: nested arrays must be rectangular, here 2 entries at depth 1, got 1.",
    );
    expect(() => value(["a"] as never)).toThrow(
      'value: data must be numbers, booleans, nested arrays of them, or a typed array, got "a".',
    );
    expect(() => value([1, 2, 3], { shape: [2, 2] })).toThrow("value: shape [2, 2] holds 4 elements, got 3.");
    expect(() => value([1], { shape: [-1] })).toThrow("value: sizes must be whole numbers ≥ 0, got [-1].");
    expect(() => value(1, { dtype: "float16" as never })).toThrow(
      'value: dtype must be one of bool, int32, float32, float64, got "float16".',
    );
    expect(() => value([value(1)] as never)).toThrow(
      "value: data must be numbers, booleans, nested arrays of them, or a typed array, got a Value inside an array. Join values with stack() or concat().",
    );
    expect(() => value(BigInt64Array.of(1n))).toThrow(
      "value: a typed array of numbers, got BigInt64Array. Convert it, for example with Float64Array.from(data, Number).",
    );
  });

  test("item refuses more than one element", () => {
    expect(() => value([1, 2]).item()).toThrow(
      "item: the value must have one element, got shape [2]. Use toArray() or data.",
    );
    expect(value([[5]]).item()).toBe(5);
  });
});

describe("parameter", () => {
  test("assign replaces the data, keeps the dtype and counts versions", () => {
    const w = parameter([1, 2], { dtype: "float32" });
    expect(w.version).toBe(0);
    w.assign([0.1, 3]);
    expect(w.data).toEqual(Float32Array.of(0.1, 3));
    w.assign(w.mul(2));
    expect(w.version).toBe(2);
    expect(w.dtype).toBe("float32");
  });

  test("assign refuses other shapes and constants", () => {
    expect(() => parameter([1, 2], { label: "w" }).assign([1, 2, 3])).toThrow(
      "assign: new data must have the parameter's shape [2], got [3].",
    );
    expect(() => value([1, 2]).assign([1, 2])).toThrow(
      "assign: only a parameter's data can be replaced, got a constant of shape [2]. Make it with parameter().",
    );
  });

  test("parameter refuses dtypes without derivatives", () => {
    expect(() => parameter([1], { dtype: "int32" })).toThrow(
      "parameter: dtype must be float64 or float32, got int32. Only floating-point values have derivatives.",
    );
  });

  test("grad belongs to parameters and has their shape", () => {
    const x = value(1);
    expect(x.grad).toBeNull();
    expect(() => {
      x.grad = value(1);
    }).toThrow("grad: only a parameter collects a gradient, got a constant of shape [].");
    expect(() => {
      parameter([1, 2]).grad = value(1);
    }).toThrow("grad: a gradient must have its parameter's shape [2], got [].");
  });
});

describe("printing", () => {
  test("console.log shows shape, dtype, data and the operation", () => {
    const x = parameter(
      [
        [1, 2],
        [3, 4],
      ],
      { label: "x" },
    );
    expect(inspect(x)).toBe('Parameter [2, 2] float64 "x"\n[[1, 2],\n [3, 4]]');
    expect(inspect(x.mul(0.5))).toBe("Value [2, 2] float64 from mul\n[[0.5000, 1.0000],\n [1.5000, 2.0000]]");
    expect(String(value(0.1, { dtype: "float32" }))).toBe("Value 0.1 float32");
    expect(String(value(1 / 3))).toBe("Value 0.3333333333333333 float64");
  });

  test("large tensors are shortened in the middle", () => {
    const text = String(value(Float64Array.from({ length: 1000 }, (_, i) => i)));
    expect(text).toBe("Value [1000] float64\n[  0,   1,   2, …, 997, 998, 999]");
  });

  test("empty, infinite and missing numbers print", () => {
    expect(String(value([]))).toBe("Value [0] float64\n[]");
    expect(String(value([NaN, -Infinity, 0.5]))).toBe("Value [3] float64\n[      NaN, -Infinity,    0.5000]");
    expect(String(value([1e-10, 1]))).toBe("Value [2] float64\n[1.0000e-10,  1.0000e+0]");
  });

  test("a label set later names the value", () => {
    const y = value(2).mul(3);
    y.label = "y";
    expect(inspect(y)).toBe('Value 6 float64 from mul "y"');
  });
});

describe("JavaScript's own operations", () => {
  test("arithmetic operators throw instead of giving NaN or a text, templates print", () => {
    const x = value(2) as unknown as number;
    const message =
      "Value: operators must be methods, got an operator of JavaScript. Write x.add(1) for x + 1, x.mul(2) for x * 2, and x.item() for the number.";
    expect(() => x * 2).toThrow(message);
    expect(() => x + 1).toThrow(message);
    expect(() => x < 1).toThrow(message);
    expect(`${value(2)}`).toBe("Value 2 float64");
  });

  test("JSON.stringify writes the elements", () => {
    expect(JSON.stringify({ w: value([[1, 2]]), b: value(0.5) })).toBe('{"w":[[1,2]],"b":0.5}');
  });
});
