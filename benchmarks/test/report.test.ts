import { expect, test } from "vitest";
import { tiny } from "../cases/tiny.ts";
import type { Result } from "../harness.ts";
import { picture } from "../picture.ts";
import {
  baseline,
  formatRatio,
  formatTime,
  insertReport,
  type Results,
  reportOf,
  resultLines,
} from "../report.ts";

function timed(workload: string, contender: string, median: number): Result {
  return {
    ...{ workload, contender, state: "timed", median, minimum: median * 0.9, samples: 9 },
    ...{ first: 12, load: 34, memory: 56 * 2 ** 20, difference: 3e-8 },
  };
}

const results: Results = {
  ...{ machine: "A processor, 2 cores", date: "2026-11-30", versions: ["jax-js 0.1.25"] },
  absent: ["PyTorch: no torch"],
  rows: [
    timed("tiny", "hand", 0.0001),
    timed("tiny", "eager", 0.004),
    timed("tiny", "jax-js", 0.1),
    timed("smooth-gradient", "eager", 90),
    { workload: "smooth-gradient", contender: "tfjs-wasm", state: "refused", reason: "answers 1, not 2" },
    timed("smooth-value", "eager", 30),
  ],
  operations: [{ name: "scalar add", nanoseconds: 12.34, margin: 1.25 }],
  sizes: [{ title: "all", bytes: 2048 }],
};

test("formatTime takes the unit that reads best, to three digits", () => {
  expect([0.0000123, 0.00999999, 0.5, 1, 999.9, 12345].map(formatTime)).toEqual([
    "12.3 ns",
    "10 µs",
    "500 µs",
    "1 ms",
    "1 s",
    "12.3 s",
  ]);
});

test("formatRatio keeps two digits of small ratios and all of large ones", () => {
  expect([0.0537, 1, 1.26, 9.94, 9.96, 27.4, 1234].map(formatRatio)).toEqual([
    "0.054",
    "1",
    "1.3",
    "9.9",
    "10",
    "27",
    "1 234",
  ]);
});

test("ratios are to Adjoint's time, compiled where it was timed", () => {
  const rows = [timed("tiny", "eager", 4), timed("tiny", "compiled", 2)];
  expect(baseline(rows)?.contender).toBe("compiled");
  expect(baseline(rows.slice(0, 1))?.contender).toBe("eager");
  expect(baseline([])).toBeUndefined();
});

test("resultLines gives each contender's time, ratio and reason", () => {
  const rows = results.rows.filter(({ workload }) => workload === "tiny");
  const [, eager, jax, failed] = resultLines(
    [...rows, { workload: "tiny", contender: "js-pytorch", state: "fails", reason: "no such thing" }],
    tiny,
  );
  expect(eager).toMatch(/^Adjoint, eager +4 µs +1× +\(min 3\.6 µs, 1×\) +first 12 ms, 56 MB, off 3e-8$/);
  expect(jax).toMatch(/^jax-js, jit, wasm +100 µs +25× +\(min 90 µs, 25×\)/);
  expect(failed).toMatch(/^js-pytorch +fails: no such thing$/);
});

test("reportOf has a row a workload, a column a contender, and says why a cell has no time", () => {
  const report = reportOf(results);
  expect(report).toContain("A processor, 2 cores; 2026-11-30; jax-js 0.1.25; left out: PyTorch: no torch");
  expect(report).toContain(
    "| work | hand-written JavaScript | Adjoint, eager | jax-js, jit, wasm | TensorFlow.js, wasm |",
  );
  expect(report).toContain("| 100 ns (0.025×) | 4 µs | 100 µs (25×) | – |");
  expect(report).toMatch(/1e6 elements, value and gradient \| – \| 90 ms \| – \| refused \|/);
  expect(report).toMatch(/- TensorFlow\.js, wasm, .*: refused: answers 1, not 2\./);
  // 90 ms with the gradient, 30 ms without.
  expect(report).toMatch(/### Gradient ÷ value[\s\S]*\| Adjoint, eager \| 3 \|/);
  expect(report).toContain("| scalar add | 12.3 ns | ±1.3% |");
  expect(report).toContain("| all | 2.0 |");
});

test("every table of the report has as many cells in each line as in its head", () => {
  let columns = 0;
  for (const line of reportOf(results).split("\n")) {
    if (!line.startsWith("|")) columns = 0;
    else {
      const cells = line.split("|").length;
      if (columns === 0) columns = cells;
      expect(cells, line).toBe(columns);
    }
  }
});

test("insertReport replaces what stands between the marks and nothing else", () => {
  const readme =
    "# Title\n\n<!-- results: written by npm run bench -- --report -->\nold\n<!-- end of results -->\n\nEnd\n";
  const once = insertReport(readme, "new");
  expect(once).toContain("# Title");
  expect(once).toContain("\nnew\n");
  expect(once).not.toContain("old");
  expect(once.endsWith("<!-- end of results -->\n\nEnd\n")).toBe(true);
  expect(insertReport(once, "new")).toBe(once);
  expect(() => insertReport("# Title\n", "new")).toThrow("insertReport: the README must have the marks");
});

test("picture draws a bar a time, longer for a longer time, in proportion to its logarithm", () => {
  const svg = picture(results);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  const bars = [...svg.matchAll(/<rect [^>]*>/g)].filter(([tag]) => tag.includes(" x="));
  const widths = bars.map(([tag]) => Number(/ width="([^"]+)"/.exec(tag)?.[1]));
  // Only "tiny" has two timed contenders or more.
  expect(widths).toHaveLength(3);
  const [hand, eager, jax] = widths as [number, number, number];
  // From a third of the shortest: log 3, log 120 and log 3000.
  expect(eager / hand).toBeCloseTo(Math.log(120) / Math.log(3), 1);
  expect(jax / hand).toBeCloseTo(Math.log(3000) / Math.log(3), 1);
  expect(svg).toContain("100 µs, 25×");
});
