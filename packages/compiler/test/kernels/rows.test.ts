import { compile, explain } from "@adjoint/compiler";
import type { TypedArray, Value } from "@adjoint/core";
import * as m from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpreted } from "../../src/interpreted.ts";
import { interpretKernel } from "../../src/kernels/interpret.ts";
import {
  allStatements,
  type Buffer,
  buffersOf,
  type Counter,
  type Kernel,
  type Place,
  type Register,
  type Statement,
} from "../../src/kernels/language.ts";
import { printKernel } from "../../src/kernels/print.ts";
import { mergeRows } from "../../src/kernels/rows.ts";
import { copied, type Memory, passes } from "../kernels.ts";

const ANY = { rows: 2, share: 0 };

/** A kernel with other buffers in the place of some. */
function among(kernel: Kernel, buffers: ReadonlyMap<Buffer, Buffer>): Kernel {
  const place = (p: Place): Place => ({ ...p, buffer: buffers.get(p.buffer) ?? p.buffer });
  const body = (statements: Kernel["body"]): Kernel["body"] =>
    statements.map((s) => {
      if (s.kind === "loop") return { ...s, body: body(s.body) };
      if (s.kind === "load") return { ...s, from: place(s.from) };
      if (s.kind === "fill") return { ...s, buffer: buffers.get(s.buffer) ?? s.buffer };
      return s.kind === "store" || s.kind === "combine" ? { ...s, to: place(s.to) } : s;
    });
  return { name: kernel.name, body: body(kernel.body) };
}

function run(kernels: readonly Kernel[], memory: Memory): Memory {
  const own = copied(memory);
  for (const kernel of kernels) interpretKernel(kernel, (buffer) => own.get(buffer) as TypedArray);
  return own;
}

describe("mergeRows", () => {
  test("one kernel leaves in memory what two leave", () => {
    let merges = 0;
    fc.assert(
      fc.property(passes, passes, fc.infiniteStream(fc.nat(5)), (first, other, choices) => {
        // The second reads and writes some of what the first does, often the same rows.
        const second = (choices.next().value as number) > 0 ? first : other;
        const theirs = [...first.memory.keys()];
        const buffers = new Map<Buffer, Buffer>();
        let id = 500;
        for (const buffer of second.memory.keys()) {
          const fits = theirs.filter(
            (b) => b.dtype === buffer.dtype && b.size >= buffer.size && ![...buffers.values()].includes(b),
          );
          const choice = choices.next().value as number;
          buffers.set(buffer, (choice < 4 ? fits[choice] : undefined) ?? { ...buffer, id: id++ });
        }
        const kernel = among(second.kernel, buffers);
        const picks = allStatements(kernel.body).flatMap((s) =>
          s.kind === "load" && s.from.picked ? [s] : [],
        );
        const isIndex = (b: Buffer) => b.dtype === "int32" && buffersOf(first.kernel).writes.has(b);
        // Indices that the first one computes would lie anywhere.
        fc.pre(picks.length === 0 || !theirs.some(isIndex));
        const memory: Memory = new Map(first.memory);
        for (const [buffer, mine] of buffers)
          if (!memory.has(mine)) memory.set(mine, second.memory.get(buffer) as TypedArray);
        const merged = mergeRows(first.kernel, kernel, ANY);
        if (merged === null) return;
        merges++;
        const [expected, actual] = [run([first.kernel, kernel], memory), run([merged], memory)];
        for (const [buffer, data] of expected)
          expect(actual.get(buffer), `b${buffer.id}\n${printKernel(merged)}`).toEqual(data);
      }),
      { numRuns: 3000, seed: 5 },
    );
    expect(merges).toBeGreaterThan(200);
  });
});

describe("mergeRows refuses", () => {
  const rows: Counter = { id: 0, extent: 20 };
  const columns: Counter = { id: 1, extent: 5 };
  const x: Buffer = { id: 0, dtype: "float64", size: 200 };
  const y: Buffer = { id: 1, dtype: "float64", size: 200 };
  const r: Register = { id: 0, dtype: "float64" };
  const sum: Register = { id: 1, dtype: "float64" };
  const at = (buffer: Buffer, offset: number, row: number, column = 0): Place => ({
    buffer,
    at: {
      offset,
      terms: [
        { counter: rows, step: row },
        { counter: columns, step: column },
      ].filter(({ step }) => step !== 0),
    },
    picked: null,
  });
  const moves = (from: Place, to: Place, before: Statement[] = [], after: Statement[] = []): Kernel => {
    const inner: Statement[] = [
      { kind: "load", to: r, from },
      { kind: "store", to, from: r },
    ];
    if (after.length > 0) inner.push({ kind: "gather", into: sum, fold: "sum", from: r });
    const loop: Statement = {
      kind: "loop",
      counter: rows,
      body: [{ kind: "loop", counter: columns, body: inner }],
    };
    return { name: "k", body: [...before, loop, ...after] };
  };
  const other = (id: number): Buffer => ({ id, dtype: "float64", size: 200 });
  const one = (buffer: Buffer): Place => ({ buffer, at: { offset: 0, terms: [] }, picked: null });

  test("rows that lie differently", () => {
    const first = moves(at(other(5), 0, 8, 1), at(x, 0, 8, 1));
    expect(mergeRows(first, moves(at(x, 0, 8, 1), at(y, 0, 8, 1)), ANY)).not.toBeNull();
    expect(mergeRows(first, moves(at(x, 0, 9, 1), at(y, 0, 8, 1)), ANY)).toBeNull();
  });

  test("rows that reach into the one before", () => {
    const second = moves(at(x, 3, 4), at(y, 0, 8, 1));
    expect(mergeRows(moves(at(other(5), 0, 8, 1), at(x, 4, 4, -1)), second, ANY)).toBeNull();
    expect(
      mergeRows(moves(at(other(5), 0, 8, 1), at(x, 4, 8, -1)), moves(at(x, 3, 8), at(y, 0, 8, 1)), ANY),
    ).not.toBeNull();
  });

  test("a row that wants the sum of all rows, or a place that a sum is still to come to", () => {
    const total = other(6);
    const begin: Statement = { kind: "begin", to: sum, fold: "sum" };
    const store: Statement = { kind: "store", to: one(total), from: sum };
    const first = moves(at(x, 0, 8, 1), at(y, 0, 8, 1), [begin], [store]);
    expect(mergeRows(first, moves(at(y, 0, 8, 1), at(x, 0, 8, 1)), ANY)).not.toBeNull();
    const reads = moves(at(y, 0, 8, 1), at(x, 0, 8, 1));
    const [loop] = reads.body as [Extract<Statement, { kind: "loop" }>];
    const wants: Statement = { kind: "load", to: sum, from: one(total) };
    const eager = { ...reads, body: [{ ...loop, body: [wants, ...loop.body] }] };
    expect(mergeRows(first, eager, ANY)).toBeNull();
    const fill: Statement = { kind: "fill", buffer: x, value: 0 };
    expect(mergeRows(first, moves(at(y, 0, 8, 1), at(other(7), 0, 8, 1), [fill]), ANY)).toBeNull();
  });

  test("few rows, rows with little in them, and nothing in common", () => {
    const [first, second] = [moves(at(x, 0, 8, 1), at(y, 0, 8, 1)), moves(at(y, 0, 8, 1), at(x, 0, 8, 1))];
    expect(mergeRows(first, second)).not.toBeNull();
    expect(mergeRows(first, second, { rows: 21, share: 0 })).toBeNull();
    const single: Statement = { kind: "load", to: sum, from: at(y, 0, 8) };
    const [loop] = second.body as [Extract<Statement, { kind: "loop" }>];
    const loaded = { ...second, body: [{ ...loop, body: [single, single, ...loop.body] }] };
    expect(mergeRows(first, loaded)).toBeNull();
    expect(mergeRows(first, moves(at(other(7), 0, 8, 1), at(other(8), 0, 8, 1)), ANY)).toBeNull();
  });
});

describe("rows of programs", () => {
  const drawn = (seed: number, shape: number[], dtype: "float32" | "float64") =>
    m.random.normal(m.random.key(seed), shape, { dtype });
  const normalised = (x: Value) => {
    const centred = m.sub(x, m.mean(x, -1, { keepDims: true }));
    return m.div(centred, m.sqrt(m.add(m.mean(m.square(centred), -1, { keepDims: true }), 1e-5)));
  };
  const functions: Readonly<Record<string, (x: Value) => Value>> = {
    softmax: (x) => m.softmax(x),
    logSoftmax: (x) => m.logSoftmax(x),
    normalised,
    "softmax of what is normalised": (x) => m.softmax(normalised(x)),
    "sums of both axes": (x) => m.mul(m.softmax(x), m.sum(m.tanh(x), 0)),
    "rows that look at the row before": (x) => m.sub(m.softmax(x), m.roll(m.exp(x), 1, 0)),
  };
  for (const [name, f] of Object.entries(functions)) {
    test.each(["float32", "float64"] as const)(`${name}, value and gradient, %s`, (dtype) => {
      const x = drawn(1, [40, 50], dtype);
      const both = (x: Value) => [f(x), m.grad((x: Value) => m.sum(m.sin(f(x))))(x)];
      const expected = both(x);
      for (const target of ["wasm", interpreted] as const) {
        const compiled = compile(both, { target });
        compiled(x).forEach((y, k) => {
          const { data } = expected[k] as Value;
          const scale = Math.max(...Array.from(data, Math.abs));
          y.data.forEach((v, i) => {
            const error = Math.abs(v - (data[i] as number)) / scale;
            expect(error).toBeLessThan(dtype === "float32" ? 4e-6 : 1e-13);
          });
        });
      }
    });
  }

  test("a softmax goes through memory once, and threads share its rows", () => {
    const x = drawn(2, [400, 400], "float32");
    const compiled = compile((x: Value) => m.softmax(x), { threads: 2 });
    const expected = m.softmax(x).data;
    compiled(x).data.forEach((y, i) => {
      expect(Math.abs(y - (expected[i] as number))).toBeLessThan(1e-7);
    });
    const text = explain(compiled);
    expect(text.split("\n")[1]).toBe("1 kernels, 0 products, 0 evaluations by core");
    expect(text).toContain("in parts");
  });
});
