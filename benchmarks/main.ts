/** Runs the benchmarks: `npm run bench -- --help` says how. */

import { readFileSync, writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { workloads } from "./cases/index.ts";
import { timeOperations } from "./cases/operations.ts";
import { type Entry, entries } from "./contenders/index.ts";
import { type Effort, type Result, runWorkload } from "./harness.ts";
import { installPeers } from "./peers/packages.ts";
import { picture } from "./picture.ts";
import { formatTime, insertReport, machine, type Results, reportOf, resultLines } from "./report.ts";
import { bundleSizes } from "./sizes.ts";

interface Options {
  readonly only: RegExp;
  readonly contenders?: readonly string[];
  readonly quick?: true;
  readonly rounds?: number;
  readonly install: boolean;
  readonly json?: string;
  readonly report?: true;
  readonly list?: true;
}

const efforts: Readonly<Record<"full" | "quick", Effort>> = {
  full: { rounds: 7, round: 120, warmUp: 400, patience: 5000, deadline: 60_000 },
  quick: { rounds: 3, round: 60, warmUp: 150, patience: 1000, deadline: 30_000 },
};

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError("It must be a regular expression.");
  }
}

function ids(text: string): string[] {
  const chosen = text.split(",").map((id) => id.trim());
  const wrong = chosen.find((id) => !entries.some((entry) => entry.id === id));
  if (wrong === undefined) return chosen;
  throw new InvalidArgumentError(`It must be of ${entries.map(({ id }) => id).join(", ")}; ${wrong} is not.`);
}

function positive(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It must be a whole number ≥ 1.");
}

const options = new Command("npm run bench --")
  .description(
    "Times Adjoint beside its peers, each in a process of its own, in turn; answers are compared first.",
  )
  .option("--only <regex>", "workloads whose id it matches", pattern, /./)
  .option("--contenders <ids>", "some contenders, divided by commas", ids)
  .option("--quick", "fewer and shorter rounds")
  .option("--rounds <count>", "rounds of each contender", positive)
  .option("--no-install", "leave out peers that are not installed instead of installing them")
  .option("--json <file>", "write all figures to a file")
  .option("--report", "write them into benchmarks/README.md and its picture")
  .option("--list", "say what there is, and end")
  .parse()
  .opts<Options>();

const chosen = workloads.filter(({ id }) => options.only.test(id));
const wanted = entries.filter(({ id }) => options.contenders?.includes(id) ?? true);

if (options.list) {
  const rest = [
    { id: "operations", title: "single eager operations" },
    { id: "sizes", title: "bundles, minified and gzipped" },
  ];
  const show = (heading: string, all: readonly { id: string; title: string }[]) =>
    console.log([heading, ...all.map(({ id, title }) => `  ${id.padEnd(18)}${title}`)].join("\n"));
  show("Workloads, for --only:", [...workloads, ...rest]);
  show("Contenders, for --contenders:", entries);
  process.exit(0);
}

/** The contenders that are there; the others are named, with the reason. */
function present(): { there: Entry[]; absent: string[] } {
  const absent: string[] = [];
  if (
    options.install &&
    wanted.some(({ packages, missing }) => packages !== undefined && missing() !== null)
  ) {
    console.log("Installing the peers in benchmarks/peers…");
    const failure = installPeers();
    if (failure !== null) absent.push(failure);
  }
  const there = wanted.filter(({ title, missing }) => {
    const reason = missing();
    if (reason !== null) absent.push(`${title}: ${reason}`);
    return reason === null;
  });
  return { there, absent };
}

const selected = (id: string) => options.only.test(id) && options.contenders === undefined;
if (chosen.length === 0 && !selected("operations") && !selected("sizes")) {
  console.error(`bench: --only must match a workload, got ${options.only}. Run with --list to see them.`);
  process.exit(1);
}
const { there, absent } = present();
for (const line of absent) console.log(`left out: ${line}`);
const caption = machine();
console.log(caption);

const rounds = options.rounds;
const base = efforts[options.quick ? "quick" : "full"];
const effort = rounds === undefined ? base : { ...base, rounds };
const rows: Result[] = [];
for (const workload of chosen) {
  console.log(`\n${workload.title}  [${workload.id}]`);
  const found = await runWorkload(workload, there, effort);
  rows.push(...found);
  for (const line of resultLines(found, workload)) console.log(`  ${line}`);
}
const operations = selected("operations") ? timeOperations(options.quick ? 0.1 : 0.5) : [];
for (const { name, nanoseconds, margin } of operations) {
  console.log(`${name.padEnd(48)}${formatTime(nanoseconds / 1e6).padStart(9)} ±${margin.toFixed(1)}%`);
}
const sizes = selected("sizes") ? await bundleSizes() : [];
for (const { title, bytes } of sizes)
  console.log(`${title.padEnd(60)}${(bytes / 1024).toFixed(1).padStart(8)} KB`);

// TensorFlow.js takes part twice.
const versions = new Set(
  there.flatMap(({ title, version }) =>
    version === undefined ? [] : [`${title.split(",")[0]} ${version()}`],
  ),
);
const results: Results = {
  ...{ machine: caption, date: new Date().toISOString().slice(0, 10), versions: [...versions], absent },
  ...{ rows, operations, sizes },
};
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
if (options.report) {
  const readme = new URL("./README.md", import.meta.url);
  writeFileSync(readme, insertReport(readFileSync(readme, "utf8"), reportOf(results)));
  writeFileSync(new URL("./steps.svg", import.meta.url), picture(results));
}
