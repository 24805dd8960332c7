import {
  add,
  broadcastTo,
  expandDims,
  identity,
  mul,
  reshape,
  sin,
  square,
  stopGradient,
  sum,
  transpose,
  type Value,
  value,
} from "@adjoint/core";
import {
  apply,
  binary,
  define,
  type NodeView,
  type Operation,
  operation,
  tensorType,
  unary,
} from "@adjoint/core/operations";
import { expect, test } from "vitest";
import { checkLaws, type Law, type LawfulOperation } from "../src/index.ts";

/** The laws that an operation breaks, each once. */
function broken(f: LawfulOperation): Law[] {
  return [...new Set(checkLaws(f).map(({ law }) => law))].sort();
}

/** The public function of a record of one operand. */
function publish(record: Operation<null>, shape: readonly number[] = [2, 3]) {
  return define({ name: record.name, operation: record, samples: (draw) => [[draw(shape)]] }, (x: Value) =>
    apply(record, [x], null),
  );
}

/** x ↦ x² as a record that is not elementwise, with the rules given. */
function squared(rules: Partial<Pick<Operation<null>, "vjp" | "jvp" | "evaluate" | "infer">>) {
  const right: Pick<Operation<null>, "vjp" | "jvp" | "evaluate" | "infer"> = {
    infer: ([x]) => tensorType(x?.shape ?? [], x?.dtype ?? "float64"),
    evaluate: ([x]) => (x as Value).data.map((entry) => entry * entry),
    vjp: [(dy, { inputs: [x] }) => mul(dy, mul(x as Value, 2))],
    jvp: ([tx], { inputs: [x] }) => (tx ? mul(tx, mul(x as Value, 2)) : null),
  };
  const { infer, evaluate, vjp, jvp } = { ...right, ...rules };
  return publish(operation({ name: "squared", infer, evaluate, vjp, ...(jvp === null ? {} : { jvp }) }));
}

test("checkLaws finds nothing to say about records that are right", () => {
  expect(checkLaws(squared({}))).toEqual([]);
  const product = binary({
    name: "product",
    expression: (a, b, m) => m.mul(a, b),
    partials: [(_a, b) => b, (a) => a],
  });
  expect(checkLaws(product)).toEqual([]);
});

test("checkLaws catches a sign: sine whose derivative is −cosine", () => {
  const wrong = unary({
    name: "wrongSin",
    expression: (x, m) => m.sin(x),
    partial: (x, _y, m) => m.neg(m.cos(x)),
  });
  expect(broken(wrong)).toEqual(["jvp", "vjp"]);
});

test("checkLaws catches a factor: a square whose derivative is x", () => {
  const wrong = unary({ name: "wrongSquare", expression: (x, m) => m.mul(x, x), partial: (x) => x });
  expect(broken(wrong)).toEqual(["jvp", "vjp"]);
});

test("checkLaws catches swapped inputs: a product that gives a what is b's", () => {
  const wrong = binary({
    name: "wrongMul",
    expression: (a, b, m) => m.mul(a, b),
    partials: [(a) => a, (_a, b) => b],
  });
  expect(broken(wrong)).toEqual(["jvp", "vjp"]);
});

test("checkLaws catches a missing sum: a scaling whose factor's cotangent is not summed", () => {
  const record: Operation<null> = operation({
    name: "wrongScale",
    infer: ([x]) => tensorType(x?.shape ?? [], x?.dtype ?? "float64"),
    evaluate: ([x, factor]) => (x as Value).data.map((entry) => entry * (factor as Value).item()),
    vjp: [
      (dy, { inputs: [, factor] }) => mul(dy, factor as Value),
      (dy, { inputs: [x] }) => reshape(mul(dy, x as Value).slice(0, 0), []),
    ],
    jvp: ([tx, tf], { inputs: [x, factor] }) =>
      add(tx ? mul(tx, factor as Value) : 0, tf ? mul(x as Value, tf) : 0),
  });
  const wrong = define(
    { name: "wrongScale", operation: record, samples: (draw) => [[draw([2, 3]), draw([])]] },
    (x: Value, factor: Value) => apply(record, [x, factor], null),
  );
  expect(broken(wrong)).toEqual(["duality", "transpose", "vjp"]);
});

test("checkLaws catches the wrong axis: row sums whose cotangent is spread along columns", () => {
  const record: Operation<null> = operation({
    name: "wrongRowSums",
    infer: ([x]) => tensorType([x?.shape[0] as number], x?.dtype ?? "float64"),
    evaluate: ([x]) => sum(x as Value, 1).data,
    vjp: [(dy, { inputs: [x] }) => broadcastTo(dy, (x as Value).shape)],
    jvp: ([tx]) => (tx ? sum(tx, 1) : null),
  });
  expect(broken(publish(record, [3, 3]))).toEqual(["duality", "transpose", "vjp"]);
});

test("checkLaws catches a wrong or missing forward rule", () => {
  const wrong = squared({ jvp: ([tx], { inputs: [x] }) => (tx ? mul(tx, x as Value) : null) });
  expect(broken(wrong)).toEqual(["duality", "jvp", "transpose"]);
  expect(broken(squared({ jvp: null }))).toEqual(["duality", "jvp", "transpose"]);
});

test("checkLaws catches a wrong shape and a wrong dtype", () => {
  expect(
    broken(squared({ infer: ([x]) => tensorType([...(x?.shape ?? [])].reverse(), "float64") })),
  ).toContain("type");
  expect(broken(squared({ infer: ([x]) => tensorType(x?.shape ?? [], "float64") }))).toContain("float32");
  expect(
    broken(squared({ evaluate: ([x]) => Float32Array.from((x as Value).data, (e) => e * e) })),
  ).toContain("type");
  expect(broken(squared({ evaluate: ([x]) => (x as Value).data.slice(1) }))).toContain("type");
});

test("checkLaws catches a scalar that is stored as an array", () => {
  const record: Operation<null> = operation({
    name: "wrongTotal",
    linear: true,
    infer: ([x]) => tensorType([], x?.dtype ?? "float64"),
    evaluate: ([x]) => sum(x as Value).data,
    vjp: [(dy, { inputs: [x] }) => broadcastTo(dy, (x as Value).shape)],
  });
  const messages = checkLaws(publish(record)).filter(({ law }) => law === "type");
  expect(messages[0]?.message).toBe(
    "wrongTotal([2, 3]): a scalar result of wrongTotal must be stored as a number, got an array.",
  );
});

test("checkLaws catches a pullback that is not linear in the cotangent", () => {
  const wrong = unary({
    name: "wrongPull",
    expression: (x, m) => m.mul(x, x),
    pull: (dy, x, _y, m) => m.mul(m.mul(dy, dy), x),
  });
  expect(broken(wrong)).toContain("linearity");
  const bent = squared({ vjp: [(dy, { inputs: [x] }) => mul(square(dy), x as Value)] });
  expect(broken(bent)).toContain("linearity");
});

test("checkLaws catches a rule that cannot be differentiated again", () => {
  const detached = squared({ vjp: [(dy, { inputs: [x] }) => mul(dy, mul(stopGradient(x as Value), 2))] });
  expect(broken(detached)).toEqual(["second order"]);
  const opaque = (dy: Value, { inputs: [x] }: NodeView<null>) => {
    const { data, shape, dtype } = x as Value;
    return mul(
      dy,
      value(
        data.map((entry) => 2 * entry),
        { shape, dtype },
      ),
    );
  };
  // It reads data, too, which a batched function does not have.
  expect(broken(squared({ vjp: [opaque] }))).toEqual(["batching", "second order"]);
});

test("checkLaws catches a forward rule that wants all tangents at once", () => {
  const record = operation<null>({
    name: "greedy",
    infer: ([a]) => a as never,
    evaluate: ([a, b]) => mul(a as Value, b as Value).data,
    vjp: [(dy, { inputs: [, b] }) => mul(dy, b as Value), (dy, { inputs: [a] }) => mul(dy, a as Value)],
    jvp: ([ta, tb], { inputs: [a, b] }) => (ta && tb ? add(mul(ta, b as Value), mul(a as Value, tb)) : null),
  });
  const greedy = define(
    { name: "greedy", operation: record, samples: (draw) => [[draw([2]), draw([2])]] },
    (a: Value, b: Value) => apply(record, [a, b], null),
  );
  expect(checkLaws(greedy).map(({ law, message }) => `${law}: ${message}`)[0]).toMatch(
    /^apart: greedy\(\[2\], \[2\]\): jvp by one input at a time must add up to jvp by all of them, /,
  );
  expect(broken(greedy)).toContain("apart");
});

test("checkLaws catches what is wrong only in the derivative of a derivative's rule", () => {
  // 3x⁴ with its derivatives 12x³ and 36x², whose own derivative is 72x and not 36x.
  const second = unary({
    name: "second",
    expression: (x, m) => m.mul(m.constant(36), m.mul(x, x)),
    partial: (x, _y, m) => m.mul(m.constant(36), x),
  });
  const make = (name: string, evaluate: (x: number) => number, derivative: (x: Value) => Value) =>
    publish(
      operation({
        name,
        infer: ([x]) => tensorType(x?.shape ?? [], x?.dtype ?? "float64"),
        evaluate: ([x]) => (x as Value).data.map(evaluate),
        vjp: [(dy, { inputs: [x] }) => mul(dy, derivative(x as Value))],
        jvp: ([tx], { inputs: [x] }) => (tx ? mul(tx, derivative(x as Value)) : null),
      }),
    );
  const first = make("first", (x) => 12 * x ** 3, second);
  const quartic = make("quartic", (x) => 3 * x ** 4, first as (x: Value) => Value);
  expect(broken(quartic)).toEqual(["third order"]);
});

test("checkLaws catches a cotangent that is lost at second order", () => {
  const wrong = squared({ vjp: [(dy, { inputs: [x] }) => mul(stopGradient(dy), mul(x as Value, 2))] });
  expect(broken(wrong)).toEqual(["transpose"]);
});

test("checkLaws catches rules that write into what they are given", () => {
  const wrong = squared({
    vjp: [
      (dy, { inputs: [x] }) => {
        dy.data.forEach((_, i) => {
          dy.data[i] = 2 * (dy.data[i] as number) * ((x as Value).data[i] as number);
        });
        return identity(dy);
      },
    ],
  });
  expect(broken(wrong)).toContain("purity");
});

test("checkLaws catches an operation that draws random numbers", () => {
  let calls = 0;
  const wrong = squared({ evaluate: ([x]) => (x as Value).data.map((e) => e * e + 1e-9 * calls++) });
  expect(broken(wrong)).toContain("determinism");
});

test("checkLaws catches a derivative that was forgotten", () => {
  const wrong = unary({ name: "forgotten", expression: (x, m) => m.sin(x) });
  const [violation] = checkLaws(wrong);
  expect(violation?.law).toBe("tracking");
  expect(violation?.message).toMatch(
    /^forgotten\(\[\]\): without a derivative rule the slope must be 0, got 0?-?[\d.]+\.$/,
  );
});

test("checkLaws catches an operation that loses the graph", () => {
  const record = squared({}).definition.operation as unknown as Operation<null>;
  const wrong = define({ name: "lost", operation: record, samples: (draw) => [[draw([2])]] }, (x: Value) =>
    apply(record, [stopGradient(x)], null),
  );
  expect(broken(wrong)).toContain("tracking");
});

test("checkLaws catches float32 that is computed too coarsely, or leaves its dtype", () => {
  const coarse = squared({
    evaluate: ([x]) =>
      (x as Value).dtype === "float32"
        ? (x as Value).data.map((e) => Math.round(e * e * 1000) / 1000)
        : (x as Value).data.map((e) => e * e),
  });
  expect(broken(coarse)).toEqual(["float32"]);
});

test("checkLaws catches a batch rule that mixes the examples", () => {
  const record: Operation<null> = operation({
    name: "wrongTotal",
    linear: true,
    infer: ([x]) => tensorType([], x?.dtype ?? "float64"),
    evaluate: ([x]) => sum(x as Value).item(),
    vjp: [(dy, { inputs: [x] }) => broadcastTo(dy, (x as Value).shape)],
    batch: ([x], _, __, size) => broadcastTo(sum(x as Value), [size]),
  });
  expect(broken(publish(record))).toEqual(["batching"]);
});

test("checkLaws catches recorded and unrecorded sweeps that differ", () => {
  const wrong = squared({
    vjp: [(dy, { inputs: [x] }) => mul(dy, mul(x as Value, dy.isDifferentiable ? 2.0000001 : 2))],
  });
  expect(broken(wrong)).toContain("recording");
});

test("checkLaws names the operation, the sample and what was expected", () => {
  const wrong = define(
    {
      name: "wrongSum",
      operation: null,
      samples: (draw) => [
        [[draw([2]), draw([2])], 1],
        [[draw([2]), draw([2])], { weight: 2 }],
      ],
    },
    (xs: readonly Value[], _options: unknown) => add(stopGradient(sin(xs[0] as Value)), xs[1] as Value),
  );
  const violations = checkLaws(wrong, { points: 1 }).filter(({ law }) => law === "vjp");
  expect(violations.map(({ operation: name, sample }) => [name, sample])).toEqual([
    ["wrongSum", 0],
    ["wrongSum", 1],
  ]);
  expect(violations[1]?.message).toMatch(
    /^wrongSum\(\[\[2\], \[2\]\], \{"weight":2\}\): ⟨vjp\(ȳ\), t⟩ must be \S+ by central differences, got \S+\.$/,
  );
});

test("checkLaws takes lists of values among the arguments, and transposed views of them", () => {
  const outer = define(
    { name: "outer", operation: null, samples: (draw) => [[[draw([2]), draw([3])]]] },
    ([a, b]: readonly [Value, Value]) => transpose(mul(expandDims(a, 1), b)),
  );
  expect(checkLaws(outer)).toEqual([]);
});
