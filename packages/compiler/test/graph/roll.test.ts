import * as m from "@adjoint/core";
import { capture, type Value, value } from "@adjoint/core";
import { storageOf } from "@adjoint/core/operations";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flowOf } from "../../src/graph/flow.ts";
import { rolled } from "../../src/graph/roll.ts";
import { interpreted } from "../../src/interpreted.ts";
import { wasm } from "../../src/targets/wasm/target.ts";
import { distance, runOn } from "../agreement.ts";

/** A line of scalars: the same operations on one after the other of earlier scalars. */
interface Row {
  /** The operations, by number. */
  readonly steps: readonly number[];
  readonly count: number;
  /** Where operands begin, and how far they step from one scalar to the next. */
  readonly start: number;
  readonly step: number;
  readonly other: number;
  readonly isSummed: boolean;
  /** The order in which terms of a sum are added, and whether one is added twice. */
  readonly turn: number;
  readonly twice: boolean;
  readonly shape: "left" | "right" | "halves";
}

/** A program over scalars. */
interface Scalars {
  readonly rows: readonly Row[];
  readonly outputs: readonly number[];
  readonly hasGradient: boolean;
  readonly dtype: "float64" | "float32";
}

const INPUTS = 10;

const STEPS: readonly ((a: Value, b: Value, i: number) => Value)[] = [
  (a) => m.tanh(a),
  (a) => m.sin(a),
  (a) => m.sigmoid(a),
  (a, b) => m.mul(m.sin(a), b),
  (a, b) => m.add(a, b),
  (a, b) => m.sub(b, a),
  (a, b) => m.maximum(a, m.add(b, 0.0617)),
  (a, _, i) => m.mul(a, Math.cos(i)),
  (a) => m.mul(a, 0.7),
  (a, b, i) => m.add(m.mul(a, Math.sin(3 * i)), m.mul(b, 0.3)),
  (a, b) => m.where(m.gt(a, 0.123), b, m.cos(b)),
  (a) => m.relu(m.add(a, 0.0171)),
];

function added(terms: readonly Value[], shape: Row["shape"]): Value {
  if (terms.length === 1) return terms[0] as Value;
  if (shape === "left") return terms.reduce((a, b) => m.add(a, b));
  if (shape === "right") return terms.reduceRight((a, b) => m.add(b, a));
  const middle = terms.length >> 1;
  return m.add(added(terms.slice(0, middle), shape), added(terms.slice(middle), shape));
}

/** All scalars that a program computes, its inputs first. */
function compute({ rows }: Scalars, xs: readonly Value[]): Value[] {
  const all = [...xs];
  for (const { steps, count, start, step, other, isSummed, turn, twice, shape } of rows) {
    const from = [...all];
    const at = (i: number) => from[((i % from.length) + from.length) % from.length] as Value;
    const row = Array.from({ length: count }, (_, i) =>
      steps.reduce(
        (a, op) => (STEPS[op] as (typeof STEPS)[number])(a, at(start + other + i * step), i),
        at(start + i * step),
      ),
    );
    all.push(...row);
    if (!isSummed) continue;
    const turned = row.map((_, i) => row[(i * (turn % 2 === 0 ? 1 : count - 1) + turn) % count] as Value);
    const terms = [...turned, ...(twice ? [row[0] as Value, row[0] as Value] : []), at(turn)];
    // Sums stay as small as their terms.
    all.push(m.mul(added(terms, shape), 1 / count));
  }
  return all;
}

/** A program's outputs from a vector that holds its inputs. */
const functionOf =
  (program: Scalars) =>
  (vector: Value): Value[] => {
    const outputs = (x: Value): Value[] => {
      const all = compute(
        program,
        Array.from({ length: INPUTS }, (_, i) => m.slice(x, i)),
      );
      return program.outputs.map((n) => all[all.length - 1 - (n % all.length)] as Value);
    };
    const ys = outputs(vector);
    if (!program.hasGradient) return ys;
    const [, pull] = m.vjp((x: Value) => added(outputs(x), "left"), vector);
    const dx = pull(1) as unknown as Value;
    return [...ys, ...(Array.isArray(dx) ? (dx as Value[]) : [dx])];
  };

const scalars: fc.Arbitrary<Scalars> = fc.record({
  rows: fc.array(
    fc.record({
      steps: fc.array(fc.nat({ max: STEPS.length - 1 }), { minLength: 1, maxLength: 4 }),
      count: fc.integer({ min: 4, max: 20 }),
      start: fc.integer({ min: -24, max: 24 }),
      step: fc.constantFrom(1, 1, 1, 2, -1, 0),
      other: fc.integer({ min: -3, max: 3 }),
      isSummed: fc.boolean(),
      turn: fc.nat({ max: 5 }),
      twice: fc.boolean(),
      shape: fc.constantFrom("left" as const, "right" as const, "halves" as const),
    }),
    { minLength: 1, maxLength: 4, size: "max" },
  ),
  outputs: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 12, size: "max" }),
  hasGradient: fc.boolean(),
  dtype: fc.constantFrom("float64" as const, "float64" as const, "float32" as const),
});

describe("rolled", () => {
  test.each([interpreted, wasm])("leaves what a program over scalars computes, on $name", (target) => {
    fc.assert(
      fc.property(scalars, (program) => {
        const f = functionOf(program);
        const x = value(
          Float64Array.from({ length: INPUTS }, (_, i) => Math.sin(2 * i + 1)),
          { dtype: program.dtype },
        );
        const expected = f(x);
        const actual = runOn(target, f as never, [x]);
        for (const [i, y] of expected.entries()) {
          const error = distance(actual[i] as number, storageOf(y) as number, 0.1);
          expect(error, `output ${i}`).toBeLessThan(program.dtype === "float64" ? 1e-12 : 2e-5);
        }
      }),
      { numRuns: 80, seed: 1 },
    );
  });

  /** How many operations a function of a vector has as it is written, and rolled. */
  function sizes(f: (x: Value) => Value): [written: number, rolled: number] {
    const flow = flowOf(capture(f as never, value(new Float64Array(INPUTS))));
    const operations = ({ nodes }: Pick<typeof flow, "nodes">) =>
      nodes.filter(({ op }) => op !== null).length;
    return [operations(flow), operations(rolled(flow))];
  }
  const elements = (x: Value) => Array.from({ length: INPUTS }, (_, i) => m.slice(x, i));

  test("makes vectors of scalars that were computed in one way, and folds of their long sums", () => {
    const [written, less] = sizes((x) => {
      const [first] = elements(x) as [Value];
      const rows = Array.from({ length: 20 }, (_, i) => m.tanh(m.add(m.mul(first, Math.cos(i)), 0.5)));
      return added(rows, "left");
    });
    // An element of the vector as a scalar; a vector each of mul, add and tanh; their sum.
    expect([written, less]).toEqual([2 + 3 * 20 + 19, 2 + 3 + 1]);
  });

  test.each([interpreted, wasm])(
    "takes results out of vectors where one of them is wanted, on $name",
    (target) => {
      const f = (x: Value) =>
        Array.from({ length: 12 }, (_, i) => m.tanh(m.mul(m.slice(x, 0), Math.cos(i)))) as Value[];
      const x = value(new Float64Array(INPUTS).fill(2));
      runOn(target, f as never, [x]).forEach((y, i) => {
        expect(y).toBeCloseTo(Math.tanh(2 * Math.cos(i)), 15);
      });
    },
  );

  test("leaves alone what is done a few times only", () => {
    const few = (x: Value) => added(elements(x).slice(0, 7).map(m.tanh), "left");
    const [written, same] = sizes(few);
    expect(same).toBe(written);
  });

  test("does not roll what reads a vector out of its order, but for all of it in one other order", () => {
    const vector = (x: Value) => Array.from({ length: 12 }, (_, i) => m.mul(m.slice(x, 0), Math.cos(i)));
    const turned = (x: Value) => {
      const xs = vector(x);
      return added(
        xs.map((_, i) => m.tanh(xs[11 - i] as Value)),
        "left",
      );
    };
    expect(sizes(turned)[1]).toBe(2 + 2 + 1);
    const crossed = (x: Value) => {
      const xs = vector(x);
      return added(
        xs.map((y, i) => m.mul(m.sin(y), xs[11 - i] as Value)),
        "left",
      );
    };
    expect(sizes(crossed)[1]).toBeGreaterThan(12);
  });
});
