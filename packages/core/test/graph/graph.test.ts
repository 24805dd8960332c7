import { exp, grad, mul, parameter, sin, type Value, value } from "@adjoint/core";
import {
  apply,
  bodyGraphOf,
  captureTypes,
  graphOf,
  isBody,
  operation,
  placesOf,
  type TensorType,
  tensorType,
} from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

const SCALAR = tensorType([], "float64");

describe("Graph", () => {
  test("knows what it reads from outside, each once, in the order of reading", () => {
    const [w, c] = [parameter(2), value(3)];
    captureTypes([SCALAR], ([around]) => {
      const graph = captureTypes([SCALAR], ([x]) => [
        mul(mul(w, x as Value), mul(around as Value, c)),
        mul(w, around as Value),
      ]);
      // Made of the capture around alone: a constant there is still without data.
      expect(graph.outside).toEqual([w, around]);
      return [around as Value];
    });
  });

  test("withInputs makes inputs of some of what is outside, whether places are known or not", () => {
    const [w, v] = [parameter(2), parameter(5)];
    for (const looked of [false, true]) {
      const graph = captureTypes([SCALAR], ([x]) => [
        mul(mul(w, x as Value), 10),
        mul(v, sin(x as Value)),
        v,
      ]);
      if (looked) expect(graph.outside).toEqual([w, v]);
      const wider = graph.withInputs([v]);
      expect(wider.inputs.length).toBe(2);
      expect(wider.outside).toEqual([w]);
      expect(wider.evaluate(value(0.5), value(7)).map((y) => y.item())).toEqual([10, 7 * Math.sin(0.5), 7]);
      expect(graph.evaluate(value(0.5)).map((y) => y.item())).toEqual([10, 5 * Math.sin(0.5), 5]);
    }
  });

  test("places are those of inputs, constants and operations, in this order", () => {
    const two = value(2);
    const graph = captureTypes([SCALAR, SCALAR], ([x, y]) => {
      const product = mul(x as Value, two);
      return [mul(product, mul(y as Value, two)), two, x as Value];
    });
    const { constants, operands, outputs } = placesOf(graph);
    expect(constants).toEqual([two]);
    // Inputs 0 and 1, the constant 2, then x·2, y·2 and their product.
    expect([...operands]).toEqual([0, 2, 1, 2, 3, 4]);
    expect([...outputs]).toEqual([5, 2, 0]);
  });

  test("a rule may capture what reads values of the sweep that applies it", () => {
    // The identity, whose rule looks at a graph of its input and output.
    const looking = operation<null>({
      name: "looking",
      infer: ([x]) => x as TensorType,
      evaluate: ([x]) => (x as Value).data[0] as number,
      vjp: [
        (dy, { inputs: [x], output }) => {
          const graph = captureTypes([SCALAR], ([y]) => [mul(mul(y as Value, output), x as Value)]);
          expect(graph.outside.length).toBe(2);
          return dy;
        },
      ],
      jvp: ([t]) => t ?? null,
    });
    const f = (x: Value) => {
      const [a, b] = [sin(x), exp(x)];
      return mul(mul(apply(looking, [a], null), apply(looking, [b], null)), mul(a, b));
    };
    // (sin x · eˣ)² has the derivative 2 sin x · eˣ · eˣ (sin x + cos x).
    const at = 0.3;
    const expected = 2 * Math.sin(at) * Math.exp(2 * at) * (Math.sin(at) + Math.cos(at));
    expect(grad(f)(at).item()).toBeCloseTo(expected, 12);
    const w = parameter(at);
    f(w).backward();
    expect(w.grad?.item()).toBeCloseTo(expected, 12);
  });

  test("graphs without rules of their own are their own bodies", () => {
    const outputs: Value[] = [];
    const graph = captureTypes([SCALAR], ([x]) => {
      outputs.push(mul(x as Value, x as Value));
      return outputs;
    });
    expect(isBody(graph)).toBe(true);
    expect(bodyGraphOf(graph.inputs, outputs, 0).nodes).toEqual(graphOf(graph.inputs, outputs, 0).nodes);
  });
});
