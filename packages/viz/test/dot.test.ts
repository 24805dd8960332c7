/** Tests of graphs in DOT and SVG: what is in them, escaping, deep graphs. */
import { add, backward, mul, parameter, sub, sum, tanh, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { renderGraph, toDot } from "../src/index.ts";
import { saying } from "./saying.ts";

/** The nodes' labels and the edges of a DOT text. */
function read(dot: string): { labels: Record<string, string>; edges: string[] } {
  const labels: Record<string, string> = {};
  for (const [, id, label] of dot.matchAll(/^ {2}(\w+) \[.*?label="((?:[^"\\]|\\.)*)"/gm)) {
    if (id !== undefined && label !== undefined) labels[id] = label;
  }
  return { labels, edges: Array.from(dot.matchAll(/^ {2}(\w+ -> \w+)$/gm), ([, edge]) => edge ?? "") };
}

describe("toDot", () => {
  test("draws values with label, data and gradient, and operations between them", () => {
    const a = parameter(-4, { label: "a" });
    const b = parameter(2, { label: "b" });
    const y = add(mul(a, b), 0.5);
    y.label = "y";
    backward(y);
    expect(read(toDot(y))).toEqual({
      labels: {
        v0: "a | data -4 | grad 2",
        v1: "b | data 2 | grad -4",
        v2: "data -8",
        o2: "mul",
        v3: "data 0.5",
        v4: "y | data -7.5",
        o4: "add",
      },
      edges: ["v0 -> o2", "v1 -> o2", "o2 -> v2", "v2 -> o4", "v3 -> o4", "o4 -> v4"],
    });
  });

  test("tells parameters, constants and the values asked for apart", () => {
    const x = parameter(1, { label: "x" });
    const dot = toDot(mul(x, 2));
    expect(dot).toMatch(/v0 .*#d6e8f5"\]/);
    expect(dot).toMatch(/v1 .*#eeeeee"\]/);
    expect(dot).toMatch(/v2 .*#ffffff", penwidth=2\]/);
  });

  test("draws a value once however often it is used, and an operand as often as it is used", () => {
    const x = parameter(3);
    const square = mul(x, x);
    const { labels, edges } = read(toDot([square, sub(square, x)]));
    expect(Object.keys(labels)).toEqual(["v0", "v1", "o1", "v2", "o2"]);
    expect(edges).toEqual(["v0 -> o1", "v0 -> o1", "o1 -> v1", "v1 -> o2", "v0 -> o2", "o2 -> v2"]);
  });

  test("writes out the data of small vectors, and shape and dtype of other tensors", () => {
    const w = parameter(
      [
        [1, 2],
        [3, 4],
      ],
      { label: "W", dtype: "float32" },
    );
    const column = sum(w, 0);
    backward(sum(column));
    const { labels } = read(toDot(column));
    expect(labels["v0"]).toBe("W | [2, 2] float32 | grad [2, 2]");
    expect(labels["v1"]).toBe("data [4, 6]");
    expect(labels["o1"]).toBe("sum\\naxes [0]");
  });

  test("rounds to four digits, and draws NaN and infinities", () => {
    const { labels } = read(toDot(value([1 / 3, 1234567.8, Number.NaN, Number.NEGATIVE_INFINITY])));
    expect(labels["v0"]).toBe("data [0.3333, 1235000, NaN, -Infinity]");
  });

  test("draws what was not recorded as an operation without inputs", () => {
    expect(read(toDot(add(value(1), 2)))).toEqual({
      labels: { v0: "data 3", o0: "add" },
      edges: ["o0 -> v0"],
    });
  });

  test("escapes labels", () => {
    const x = value(1, { label: 'a{|}<b> "c" \\d\ne' });
    expect(read(toDot(x)).labels["v0"]).toBe('a\\{\\|\\}\\<b\\> \\"c\\" \\\\d\\ne | data 1');
  });

  test("flows from top to bottom when asked", () => {
    const dot = toDot(value(1, { label: "x" }), { direction: "TB" });
    expect(dot).toContain("rankdir=TB");
    expect(read(dot).labels["v0"]).toBe("{x | data 1}");
  });

  test("walks a chain of 100000 operations", () => {
    let x: Value = parameter(0);
    for (let i = 0; i < 100_000; i++) x = add(x, 1);
    expect(toDot(x, { maxNodes: Number.POSITIVE_INFINITY }).match(/-> v/g)).toHaveLength(100_000);
  });

  test("refuses a graph that nobody could read", () => {
    let x: Value = parameter(0);
    for (let i = 0; i < 500; i++) x = tanh(x);
    expect(() => toDot(x)).toThrow(
      saying(
        "toDot: a drawing must have at most 500 values, got 501. " +
          "Draw a smaller part, for example one layer or a smaller example, or raise maxNodes.",
      ),
    );
  });

  test("refuses what is not a value", () => {
    const message = saying("toDot: root must be a value or an array of values.");
    expect(() => toDot([])).toThrow(message);
    expect(() => toDot(3 as unknown as Value)).toThrow(message);
  });
});

describe("renderGraph", () => {
  test("gives a standalone SVG picture with every text", async () => {
    const a = parameter(-4, { label: 'a <&> "b" {c|d}' });
    const y = tanh(mul(a, 2));
    backward(y);
    const svg = await renderGraph(y);
    expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
    const texts = Array.from(svg.matchAll(/<text[^>]*>(.*?)<\/text>/g), ([, text]) =>
      text?.replaceAll("&#160;", " ").replaceAll("&#45;", "-"),
    );
    expect(texts).toEqual(
      expect.arrayContaining(["a &lt;&amp;&gt; &quot;b&quot; {c|d}", "data -4", "data 2", "mul", "tanh"]),
    );
  });
});

test("options that there are not are refused", () => {
  expect(() => toDot(parameter(1), { rankdir: "TB" } as never)).toThrow(
    "toDot: options must be among maxNodes, direction, got rankdir.",
  );
});
