import {
  add,
  buffer,
  cond,
  type Graph,
  grad,
  mul,
  noGrad,
  parameter,
  type Value,
  value,
  vmap,
} from "@adjoint/core";
import { bodyGraphOf, tensorType, traceCall } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

const scalar = tensorType([], "float64");

/** The graph from what stands for states to what is asked for. */
function graphOf(traced: ReturnType<typeof traceCall>, outputs: readonly (Value | null)[]): Graph {
  const inputs = [...traced.inputs, ...traced.states.map(({ before }) => before)];
  return bodyGraphOf(inputs, outputs as Value[], traced.floor);
}

describe("traceCall", () => {
  test("keeps what is read and assigned, and changes nothing outside", () => {
    const [w, count] = [parameter(3), buffer(1, { dtype: "int32" })];
    const traced = traceCall([scalar], ([x]) => {
      const y = w.mul(x as Value);
      w.assign(y);
      count.assign(count.add(1));
      return w.add(count);
    });
    expect(traced.states.map(({ value }) => value === w)).toEqual([true, false]);
    const { result, states } = traced;
    const graph = graphOf(traced, [result, ...states.map(({ after }) => after)]);
    expect(graph.toString()).toBe(
      [
        "graph (%0 : float64 [], %1 : float64 [], %2 : int32 []) {",
        "  %3 = mul(%1, %0) : float64 []",
        "  %4 = add(%2, 1) : int32 []",
        "  %5 = add(%3, %4) : float64 []",
        "  return %5, %3, %4",
        "}",
      ].join("\n"),
    );
    expect(graph.evaluate(value(10), value(3), value(1, { dtype: "int32" })).map((y) => y.item())).toEqual([
      32, 30, 2,
    ]);
    expect([w.item(), w.version, count.item()]).toEqual([3, 0, 1]);
  });

  test("keeps what backward leaves: gradients cleared, added to, and of sweeps over assigned data", () => {
    const [a, b] = [parameter(2), parameter(3)];
    b.grad = value(100);
    const traced = traceCall([], () => {
      a.grad = null;
      a.mul(b).backward();
      a.assign(a.mul(10));
      a.mul(a).backward();
      return a.grad;
    });
    const [ga, gb] = ["a", "b"].map((_, i) => traced.gradients[i]) as [never, never];
    expect(ga).toMatchObject({ read: false, replaced: true, before: null });
    expect(gb).toMatchObject({ read: true, replaced: true });
    const { after: da } = ga as { after: Value };
    const { after: db, before } = gb as { after: Value; before: Value };
    const inputs = [...traced.states.map((state) => state.before), before];
    const graph = bodyGraphOf(inputs, [da, db], traced.floor);
    // b + 2·(10a), and a more than there was.
    expect(graph.evaluate(value(2), value(3), value(100)).map((y) => y.item())).toEqual([43, 102]);
    expect([a.grad, b.grad?.item()]).toEqual([null, 100]);
  });

  test("no derivative flows through an assignment, forward or backward", () => {
    const w = parameter(2);
    const traced = traceCall([scalar], ([x]) =>
      grad((t) => {
        w.assign(mul(t, 5));
        return w.mul(t);
      })(x as Value),
    );
    expect(graphOf(traced, [traced.result]).evaluate(value(3), value(2))[0]?.item()).toBe(15);
  });

  test("transforms inside see parameters as outside of them", () => {
    const w = parameter(2);
    const traced = traceCall([scalar], ([x]) => {
      w.grad = null;
      grad((x) => x.mul(x).mul(w))(x as Value).backward();
      return [w.grad, vmap((y: Value) => y.mul(w))(value([1, 2]))] as const;
    });
    const graph = graphOf(traced, traced.result);
    expect(graph.evaluate(value(3), value(2)).map((y) => y.toArray())).toEqual([6, [2, 4]]);
  });

  test("recording is on inside whatever it is outside, and everything is restored, after errors too", () => {
    const w = parameter(2);
    noGrad(() => {
      traceCall([], () => w.mul(2).backward());
      expect(() =>
        traceCall([], () => {
          w.assign(9);
          throw new Error("no");
        }),
      ).toThrow("no");
      expect(w.mul(2).isDifferentiable).toBe(false);
    });
    expect([w.item(), w.grad, add(w, 1).item()]).toEqual([2, null, 3]);
  });

  test("parameters made inside have data", () => {
    const traced = traceCall([], () => {
      const w = parameter(2);
      w.mul(w).backward();
      w.assign(w.add(w.grad as Value));
      return [w.item(), (w.grad as unknown as Value).item()];
    });
    expect(traced.result).toEqual([6, 4]);
    expect([traced.states, traced.gradients]).toEqual([[], []]);
  });

  test("cond joins what its branches assign, nested as well", () => {
    const w = parameter(1);
    const f = (x: Value) => {
      cond(
        x.gt(0),
        () => {
          cond(
            x.gt(10),
            () => void w.assign(w.mul(100)),
            () => void w.assign(w.mul(10)),
          );
        },
        () => void w.assign(x),
      );
    };
    const traced = traceCall([scalar], ([x]) => f(x as Value));
    const graph = graphOf(traced, [traced.states[0]?.after ?? null]);
    for (const x of [-5, 5, 50, Number.NaN]) {
      w.assign(3);
      f(value(x));
      expect(graph.evaluate(value(x), value(3))[0]?.item()).toBe(w.item());
    }
  });
});
