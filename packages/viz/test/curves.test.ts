/** Tests of pictures of curves: their points, gaps, axes, legend and text. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { type CurvesOptions, curves } from "../src/index.ts";
import { saying } from "./saying.ts";

type Part = Partial<Omit<CurvesOptions, "y">> & { readonly scale?: "linear" | "log" };

function draw({ scale = "linear", ...rest }: Part): string {
  return curves({
    title: "Title",
    x: { label: "epoch" },
    y: { label: "loss", scale },
    series: [{ name: "a", y: [1, 2, 3] }],
    ...rest,
  });
}

/** The pieces of each curve: between gaps, the pixels of its points. */
function pieces(svg: string): [x: number, y: number][][][] {
  const groups = Array.from(svg.matchAll(/aria-label="line"[^>]*>(.*?)<\/g>/g), ([, inner]) => inner ?? "");
  return groups.map((inner) =>
    (/ d="([^"]*)"/.exec(inner)?.[1] ?? "")
      .split("M")
      .filter((piece) => piece !== "" && !piece.endsWith("Z"))
      .map((piece) =>
        piece.split("L").map((point): [number, number] => {
          const [x = Number.NaN, y = Number.NaN] = point.split(",").map(Number);
          return [x, y];
        }),
      ),
  );
}

function texts(svg: string): string[] {
  return Array.from(svg.matchAll(/<text[^>]*>(.*?)<\/text>/g), ([, text]) => text ?? "");
}

describe("curves", () => {
  test("is one standalone SVG element on white", () => {
    const svg = draw({ width: 500, height: 300 });
    const { document } = parseHTML(svg);
    const root = document.firstElementChild;
    expect(root?.tagName.toLowerCase()).toBe("svg");
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toMatch(/^<svg [^>]*width="500"/);
    expect(svg).toMatch(/^<svg [^>]*height="300"/);
    expect(svg).toMatch(/<rect [^>]*fill="#ffffff"/);
    expect(svg).not.toMatch(/<style|<figure|class=|href|NaN|undefined/);
    expect(svg.match(/<svg/g)).toHaveLength(1);
  });

  test("is the same for the same numbers", () => {
    expect(draw({})).toBe(draw({}));
  });

  test("shows title, axis labels, ticks and legend", () => {
    const svg = draw({
      series: [
        { name: "training", y: [1, 2, 3] },
        { name: "validation", y: [2, 3, 4] },
      ],
    });
    expect(texts(svg)).toEqual([
      ...["1", "1.5", "2", "2.5", "3", "3.5", "4"],
      ...["1", "2", "3"],
      "epoch",
      "Title",
      "loss",
      "training",
      "validation",
    ]);
    const strokes = Array.from(svg.matchAll(/stroke="(#[0-9a-f]{6})"/g), ([, colour]) => colour);
    expect(strokes).toEqual(["#0072b2", "#d55e00", "#0072b2", "#d55e00"]);
  });

  test("draws points where they belong", () => {
    const [line] = pieces(draw({ series: [{ name: "a", x: [0, 10, 20], y: [0, 4, 2] }] }));
    expect(line).toHaveLength(1);
    const [first, second, third] = line?.[0] ?? [];
    if (first === undefined || second === undefined || third === undefined) throw new Error("three points");
    expect(second[0] - first[0]).toBeCloseTo(third[0] - second[0], 2);
    expect((first[1] - third[1]) / (first[1] - second[1])).toBeCloseTo(0.5, 2);
    expect(second[1]).toBeLessThan(first[1]);
  });

  test("spaces decades evenly on a logarithmic axis", () => {
    const svg = draw({ scale: "log", series: [{ name: "a", y: [1, 0.1, 0.01] }] });
    const [first, second, third] = pieces(svg)[0]?.[0] ?? [];
    if (first === undefined || second === undefined || third === undefined) throw new Error("three points");
    expect(second[1] - first[1]).toBeCloseTo(third[1] - second[1], 2);
    expect(texts(svg).slice(0, 7)).toEqual(["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
  });

  test("leaves gaps at NaN and infinities, and draws a point between two gaps", () => {
    const y = [1, 2, Number.NaN, 3, Number.POSITIVE_INFINITY, 4, 5];
    const svg = draw({ series: [{ name: "a", y }] });
    expect(pieces(svg)[0]?.map((piece) => piece.length)).toEqual([2, 2]);
    expect(svg.match(/<circle/g)).toHaveLength(1);
  });

  test("leaves gaps at numbers that have no logarithm", () => {
    const svg = draw({ scale: "log", series: [{ name: "a", y: [1, 2, 0, 3, 4, -1] }] });
    expect(pieces(svg)[0]?.map((piece) => piece.length)).toEqual([2, 2]);
  });

  test.each<[string, number[]]>([
    ["one point", [0.25]],
    ["equal points", [2, 2, 2]],
    ["zeros", [0, 0]],
    ["no number", [Number.NaN, Number.NaN]],
    ["no point", []],
    ["very large and very small numbers", [1e300, 1e-300]],
  ])("draws %s, on either scale", (_, y) => {
    for (const scale of ["linear", "log"] as const) {
      const svg = draw({ scale, series: [{ name: "a", y }] });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(texts(svg).length).toBeGreaterThan(4);
    }
  });

  test("takes typed arrays", () => {
    const x = Int32Array.of(1, 2, 3);
    expect(pieces(draw({ series: [{ name: "a", x, y: Float32Array.of(1, 2, 3) }] }))[0]?.[0]).toHaveLength(3);
  });

  test("escapes text, and takes out what XML does not allow", () => {
    const svg = draw({ title: 'a < b & "c"\u00a0\u0007d', series: [{ name: "<script>", y: [1, 2] }] });
    expect(texts(svg)).toEqual(expect.arrayContaining(['a &lt; b &amp; "c" d', "&lt;script&gt;"]));
    expect(svg).not.toContain("\u0007");
    expect(svg).not.toContain("&nbsp;");
  });

  test("wraps a long legend, shortens long names and begins the colours again, dashed", () => {
    const series = Array.from({ length: 30 }, (_, i) => ({ name: `${"x".repeat(60)} ${i}`, y: [i, i + 1] }));
    const svg = draw({ series, width: 300, height: 100 });
    const found = texts(svg).filter((text) => text.startsWith("xxx"));
    expect(found).toEqual(series.map(() => `${"x".repeat(47)}…`));
    expect(svg).toContain('stroke-dasharray="6 3"');
    const height = Number(/^<svg [^>]*height="(\d+)"/.exec(svg)?.[1]);
    expect(height).toBeGreaterThan(30 * 18 + 80);
  });

  test.each<[string, Part, string]>([
    ["no series", { series: [] }, "curves: series must hold at least one curve, got none."],
    [
      "an x too few",
      { series: [{ name: "a", x: [1], y: [1, 2] }] },
      'curves: series "a" must have an x for each y, got 1 and 2.',
    ],
    [
      "a scale that there is not",
      { scale: "cubic" as "log" },
      'curves: scale must be "linear" or "log", got "cubic".',
    ],
    ["a picture without width", { width: 0 }, "curves: width must be ≥ 200, got 0."],
  ])("refuses %s", (_, part, message) => {
    expect(() => draw(part)).toThrow(saying(message));
  });
});
