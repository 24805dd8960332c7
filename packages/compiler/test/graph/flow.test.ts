import * as m from "@adjoint/core";
import { capture, parameter, random, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { type FlowNode, flowOf } from "../../src/graph/flow.ts";

/** The flow of a function, one node a line; what it returns is last. */
function flow(f: (...xs: Value[]) => unknown, ...examples: Value[]): string[] {
  const { inputs, nodes, outputs } = flowOf(capture(f, ...examples));
  const names = new Map<FlowNode, string>(inputs.map((x, i) => [x, `x${i}`]));
  const nameOf = (x: FlowNode): string => {
    const constant = typeof x.storage === "number" ? `${x.storage}` : "[…]";
    if (x.op === null && !names.has(x)) return `${constant} : ${x.type.dtype} [${x.type.shape.join(", ")}]`;
    return names.get(x) as string;
  };
  const lines = nodes.flatMap((x) => {
    if (x.op === null) return [];
    names.set(x, `y${names.size - inputs.length}`);
    return [`${names.get(x)} = ${x.op.name}(${x.inputs.map(nameOf).join("; ")})`];
  });
  return [...lines, `return ${outputs.map(nameOf).join(", ")}`];
}

const vector = value([1, 2, 3]);
const matrix = value([
  [1, 2, 3],
  [4, 5, 6],
]);

describe("flowOf", () => {
  /** A function of x and of what turns out to be a constant when the function is taken apart. */
  const withConstant = (constant: Value, f: (x: Value, c: Value) => Value) => (x: Value) =>
    m.customVjp(f, (dy) => [dy, dy])(x, constant);

  test("computes at once what depends on constants alone", () => {
    const f = withConstant(value([0, 0]), (x, c) => m.mul(x, m.sum(m.exp(c))));
    expect(flow(f, vector)).toEqual(["y0 = mul(x0; 2 : float64 [])", "return y0"]);
    const whole = withConstant(value(3), (_, c) => m.sqrt(m.add(c, 1)));
    expect(flow(whole, vector)).toEqual(["return 2 : float64 []"]);
  });

  test("keeps one number of constants whose elements are the same, but tells 0 from −0", () => {
    const f = (x: Value) => [
      m.add(x, m.ones([3])),
      m.add(x, value([-0, -0, -0])),
      m.add(x, value([0, -0, 0])),
    ];
    expect(flow(f, vector)).toEqual([
      "y0 = add(x0; 1 : float64 [3])",
      // JavaScript writes −0 as 0.
      "y1 = add(x0; 0 : float64 [3])",
      "y2 = add(x0; […] : float64 [3])",
      "return y0, y1, y2",
    ]);
  });

  test("does not make large constants of small ones", () => {
    const f = withConstant(value([[0], [1]]), (x, c) => m.add(x, m.exp(m.broadcastTo(c, [2, 4096]))));
    expect(flow(f, m.zeros([4096]))).toEqual([
      "y0 = broadcastTo([…] : float64 [2, 1])",
      "y1 = exp(y0)",
      "y2 = add(x0; y1)",
      "return y2",
    ]);
  });

  test("does the same operation on the same operands once, with the same attributes", () => {
    const f = (x: Value) => [
      m.sin(x),
      m.sin(x),
      m.sum(m.sin(x), 0),
      m.sum(m.sin(x), [0]),
      m.sum(m.sin(x), 1),
    ];
    expect(flow(f, matrix)).toEqual([
      "y0 = sin(x0)",
      "y1 = sum(y0)",
      "y2 = sum(y0)",
      "return y0, y0, y1, y1, y2",
    ]);
  });

  test("leaves out what no output depends on, and keeps inputs that nothing reads", () => {
    const f = (x: Value, _: Value) => {
      m.exp(x);
      return m.sin(x);
    };
    expect(flow(f, vector, matrix)).toEqual(["y0 = sin(x0)", "return y0"]);
    expect(flow((x) => [x, x], vector)).toEqual(["return x0, x0"]);
    expect(flow(() => value(2), vector)).toEqual(["return 2 : float64 []"]);
  });

  test("takes operations apart that say of what others they consist", () => {
    const square = m.customVjp(
      (x: Value) => m.mul(x, x),
      (dy) => [dy],
    );
    expect(flow((x) => m.add(square(x), m.mul(x, x)), vector)).toEqual([
      "y0 = mul(x0; x0)",
      "y1 = add(y0; y0)",
      "return y1",
    ]);
  });

  test("sees through reshaping that goes back and forth, and casts that change nothing", () => {
    expect(flow((x) => m.reshape(m.reshape(m.expandDims(x, 0), [3, 2]), [2, 3]), matrix)).toEqual([
      "return x0",
    ]);
    expect(flow((x) => m.sin(m.reshape(m.reshape(x, [3, 2]), [6])), matrix)).toEqual([
      "y0 = reshape(x0)",
      "y1 = sin(y0)",
      "return y1",
    ]);
    expect(flow((x) => m.transpose(m.transpose(x)), value([[1, 2, 3]]))).toEqual(["return x0"]);
  });

  test("runs a scan once where its derivative runs it as well", () => {
    const recurrent = (x: Value): Value => {
      const [last, ys] = m.scan(
        (h: Value, x: Value) => [m.tanh(m.matmul(h, h).add(x)), h] as const,
        x,
        m.zeros([4]),
      );
      return m.sum(m.square(last)).add(m.sum(ys));
    };
    const scansOf = (f: (x: Value) => unknown) =>
      flow(f, m.ones([2, 2])).filter((line) => line.includes("scan(")).length;
    expect(scansOf(recurrent)).toBe(1);
    expect(scansOf(m.valueAndGrad(recurrent))).toBe(2);
    // Along a direction there are those with tangents beside as well.
    expect(scansOf((x) => m.jvp(m.valueAndGrad(recurrent), [x], [m.sin(x)]))).toBe(4);
    // The same body from other starts is another scan.
    expect(scansOf((x) => [recurrent(m.neg(x)), m.grad(recurrent)(x)])).toBe(3);
  });

  test("draws random numbers of one key once", () => {
    const f = () => [random.uniform(random.key(1), [2]), random.uniform(random.key(1), [2])];
    const lines = flow(f);
    expect(lines).toEqual(["return […] : float32 [2], […] : float32 [2]"]);
  });

  test("reads a parameter's data anew each time", () => {
    const w = parameter([1, 2, 3]);
    const { inputs, nodes } = flowOf(capture((x: Value) => m.mul(x, w), vector));
    expect([inputs.length, nodes.filter(({ storage }) => storage !== null).length]).toEqual([1, 1]);
  });
});
