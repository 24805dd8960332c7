/** Results as lines of a terminal and as the Markdown of the README. */

import { cpus, loadavg } from "node:os";
import { workloads } from "./cases/index.ts";
import type { OperationTime } from "./cases/operations.ts";
import { entries } from "./contenders/index.ts";
import type { Result, Timed } from "./harness.ts";
import type { Workload } from "./problem.ts";
import type { BundleSize } from "./sizes.ts";

/** Everything that one run has found. */
export interface Results {
  readonly machine: string;
  /** The day, as 2026-11-30. */
  readonly date: string;
  /** The libraries of others, with their versions. */
  readonly versions: readonly string[];
  /** Contenders that were not there, and why. */
  readonly absent: readonly string[];
  readonly rows: readonly Result[];
  readonly operations: readonly OperationTime[];
  readonly sizes: readonly BundleSize[];
}

/** The machine, what else it had to do, and the engine, as a table's caption states them. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const load = loadavg()[0]?.toFixed(1);
  return `${model}, ${cpus().length} cores, load ${load} at the start, Node ${process.versions.node}, V8 ${process.versions.v8}`;
}

/** Milliseconds in the unit that reads best, to three digits. */
export function formatTime(milliseconds: number): string {
  const units: readonly [number, string][] = [
    [1e3, "s"],
    [1, "ms"],
    [1e-3, "µs"],
    [1e-6, "ns"],
  ];
  const rounded = Number(milliseconds.toPrecision(3));
  const [size, unit] = units.find(([size]) => rounded >= size) ?? [1e-6, "ns"];
  const digits = Number((milliseconds / size).toPrecision(3));
  return `${digits} ${unit}`;
}

/** A ratio to three digits at most: 0.054, 1.3, 27. */
export function formatRatio(ratio: number): string {
  return ratio >= 9.95
    ? Math.round(ratio).toLocaleString("en").replaceAll(",", " ")
    : String(Number(ratio.toPrecision(2)));
}

function formatMemory(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

function formatDifference(difference: number): string {
  return difference === 0 ? "0" : difference.toExponential(0);
}

/** What other times are multiples of: Adjoint's, compiled where it is there. */
export function baseline(rows: readonly Result[]): Timed | undefined {
  const timed = (id: string) =>
    rows.find((row): row is Timed => row.state === "timed" && row.contender === id);
  return timed("compiled") ?? timed("eager");
}

/** One line a contender, for a terminal. */
export function resultLines(rows: readonly Result[], { operations, flops }: Workload): string[] {
  const ours = baseline(rows);
  return rows.map((row) => {
    const title = titleOf(row.contender).padEnd(24);
    if (row.state !== "timed") return `${title} ${row.state}: ${row.reason}`;
    const ratio = ours === undefined ? "" : `${formatRatio(row.median / ours.median)}×`;
    const best = ours === undefined ? "" : `, ${formatRatio(row.minimum / ours.minimum)}×`;
    const rate = rateOf(row, operations, flops);
    return [
      title,
      formatTime(row.median).padStart(9),
      ratio.padStart(7),
      `  (min ${formatTime(row.minimum)}${best})`.padEnd(26),
      ` first ${formatTime(row.first)}, ${formatMemory(row.memory)}, off ${formatDifference(row.difference)}${rate === "" ? "" : `, ${rate}`}`,
    ]
      .join(" ")
      .trimEnd();
  });
}

function rateOf({ median }: Timed, operations: number | undefined, flops: number | undefined): string {
  if (operations !== undefined) return `${((median * 1e6) / operations).toFixed(1)} ns an operation`;
  return flops === undefined ? "" : `${(flops / median / 1e6).toPrecision(2)} GFLOP/s`;
}

function titleOf(contender: string): string {
  return entries.find(({ id }) => id === contender)?.title ?? contender;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i < left ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** The Markdown of a run. */
export function reportOf(results: Results): string {
  const { rows, versions, absent, operations, sizes } = results;
  const seen = workloads.filter(({ id }) => rows.some((row) => row.workload === id));
  const parts = [
    [results.machine, results.date, ...versions, ...absent.map((line) => `left out: ${line}`)].join("; "),
    "### A step",
    "Medians, and in brackets the multiple of Adjoint's, compiled where it is there. A dash: the contender has no such work.",
    stepTable(seen, rows),
    "![The same as bars on logarithmic axes](steps.svg)",
    ...gradientTable(seen, rows),
    ...complaints(seen, rows),
    "### All figures",
    "The first step contains what is traced or compiled then; loading is the library and the data. Memory is the peak of the process above what it was before loading. The difference is the largest relative one from the answers of the first line.",
    detailTable(seen, rows),
  ];
  if (sizes.length > 0) {
    const lines = sizes.map(({ title, bytes }) => [title, (bytes / 1024).toFixed(1)]);
    parts.push(
      "### Sizes",
      "Bundled, minified and gzipped, in KB of 1 024 bytes.",
      table(["what", "KB"], lines),
    );
  }
  if (operations.length > 0) {
    const lines = operations.map(({ name, nanoseconds, margin }) => [
      name,
      formatTime(nanoseconds / 1e6),
      `±${margin.toFixed(1)}%`,
    ]);
    parts.push("### Single operations, eager", table(["operation", "median", "margin"], lines));
  }
  return parts.join("\n\n");
}

function stepTable(seen: readonly Workload[], rows: readonly Result[]): string {
  const columns = entries.filter(({ id }) => rows.some(({ contender }) => contender === id));
  const lines = seen.map(({ id, title }) => {
    const here = rows.filter(({ workload }) => workload === id);
    const ours = baseline(here);
    return [
      title,
      ...columns.map((column) => {
        const row = here.find(({ contender }) => contender === column.id);
        if (row === undefined) return "–";
        if (row.state !== "timed") return row.state;
        const ratio =
          ours === undefined || row === ours ? "" : ` (${formatRatio(row.median / ours.median)}×)`;
        return `${formatTime(row.median)}${ratio}`;
      }),
    ];
  });
  return table(["work", ...columns.map(({ title }) => title)], lines);
}

/** What a gradient costs beside its value, where both were timed. */
function gradientTable(seen: readonly Workload[], rows: readonly Result[]): string[] {
  const lines = seen.flatMap(({ id, title, value }) => {
    const timed = (workload: string | undefined, contender: string) =>
      rows.find(
        (row): row is Timed =>
          row.state === "timed" && row.workload === workload && row.contender === contender,
      );
    return entries.flatMap((entry) => {
      const [both, alone] = [timed(id, entry.id), timed(value, entry.id)];
      if (both === undefined || alone === undefined) return [];
      return [[title, entry.title, formatRatio(both.median / alone.median)]];
    });
  });
  if (lines.length === 0) return [];
  return [
    "### Gradient ÷ value",
    "How many times the value alone a step with gradient, and update where there is one, takes.",
    table(["work", "contender", "ratio"], lines, 2),
  ];
}

/** Who failed or was refused, in full. */
function complaints(seen: readonly Workload[], rows: readonly Result[]): string[] {
  const lines = seen.flatMap(({ id, title }) =>
    rows.flatMap((row) =>
      row.workload === id && row.state !== "timed"
        ? [`- ${titleOf(row.contender)}, ${title}: ${row.state}: ${row.reason}.`]
        : [],
    ),
  );
  return lines.length === 0 ? [] : ["### Not timed", lines.join("\n")];
}

function detailTable(seen: readonly Workload[], rows: readonly Result[]): string {
  const lines = seen.flatMap(({ id, title, operations, flops }) => {
    const here = rows.filter((row): row is Timed => row.workload === id && row.state === "timed");
    const ours = baseline(here);
    return here.map((row) => [
      title,
      titleOf(row.contender),
      formatTime(row.median),
      formatTime(row.minimum),
      ours === undefined ? "" : formatRatio(row.median / ours.median),
      ours === undefined ? "" : formatRatio(row.minimum / ours.minimum),
      formatTime(row.first),
      formatTime(row.load),
      formatMemory(row.memory),
      formatDifference(row.difference),
      rateOf(row, operations, flops),
    ]);
  });
  const head = [
    "work",
    "contender",
    "median",
    "minimum",
    "ratio of medians",
    "of minima",
    "first step",
    "loading",
    "memory",
    "difference",
    "",
  ];
  return table(head, lines, 2);
}

const BEGIN = "<!-- results: written by npm run bench -- --report -->";
const END = "<!-- end of results -->";

/** A README with the report in place of the last one, between its two marks. */
export function insertReport(readme: string, report: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new Error(
      `insertReport: the README must have the marks ${BEGIN} and ${END}, got neither or one. Put them back.`,
    );
  }
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${report}\n\n${readme.slice(end)}`;
}
