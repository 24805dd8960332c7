/** The driver: GradBench's problems on inputs of its sizes, without GradBench. `npm run bench:gradbench -- --help`. */

import { isValue } from "@adjoint/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { machine } from "../report.ts";
import { median } from "../statistics.ts";
import { HandWritten } from "./hand-written.ts";
import { type Workload, workloads } from "./inputs.ts";
import type { Input, Tree } from "./problem.ts";
import { problems } from "./problems/index.ts";
import { type Runner, runnerOf, TARGETS, type TargetName, threadsOf } from "./targets.ts";

interface Options {
  readonly problems: readonly string[];
  readonly targets: readonly TargetName[];
  readonly threads: number;
  readonly sizes: "all" | "smallest" | "largest";
  readonly upTo?: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly hand: boolean;
}

function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(",").map((name) => {
      if (known.includes(name as T)) return name as T;
      throw new InvalidArgumentError(`It must be of ${known.join(", ")}; ${name} is not.`);
    });
}

function positive(text: string): number {
  const x = Number(text);
  if (x > 0 && Number.isFinite(x)) return x;
  throw new InvalidArgumentError("It must be a number > 0.");
}

const names = Object.keys(workloads);
const options = new Command("npm run bench:gradbench --")
  .description("Times GradBench's problems on inputs of its sizes, value and derivative in turn.")
  .option("--problems <names>", "some problems, divided by commas", listOf(names), names)
  .option("--targets <names>", `of ${TARGETS.join(", ")}`, listOf(TARGETS), ["wasm"])
  .option("--threads <count>", "of compiled functions; by hand there is one", threadsOf, 1)
  .addOption(
    new Option("--sizes <which>", "of each problem").choices(["all", "smallest", "largest"]).default("all"),
  )
  .option("--up-to <count>", "only so many of the smallest sizes", positive)
  .option("--rounds <count>", "rounds of all contenders in turn", positive, 3)
  .option("--seconds <count>", "for each function in each round; it runs once at least", positive, 0.2)
  .option("--no-hand", "without derivatives by hand")
  .parse()
  .opts<Options>();

/** A function of a problem on an input, by one contender. */
interface Contender {
  readonly title: string;
  readonly name: string;
  /** Runs it for some time; nanoseconds of each run. */
  run(): readonly number[];
  readonly output: Float64Array;
  /** The first run, with what is captured and compiled then; null where there is nothing of the kind. */
  readonly first: number | null;
  end(): void;
}

function ours(title: string, runner: Runner, module: string, name: string, input: Input): Contender {
  const task = problems[module]?.[name];
  if (task === undefined) throw new Error(`${module} has no ${name}`);
  const { f, args } = task(input);
  const runnable = runner(f);
  let result: unknown;
  const once = (): number => {
    const start = process.hrtime.bigint();
    result = runnable(...args);
    return Number(process.hrtime.bigint() - start);
  };
  const first = once();
  return {
    ...{ title, name, first, output: flat(result as Tree) },
    run() {
      const samples: number[] = [];
      for (let left = options.seconds * 1e9; samples.length === 0 || left > 0; left -= samples.at(-1) ?? 0)
        samples.push(once());
      return samples;
    },
    end: () => runnable.dispose?.(),
  };
}

function byHand(hand: HandWritten, module: string, name: string, input: Input): Contender {
  const { output } = hand.run(module, name, input);
  return {
    ...{ title: "by hand", name, first: null, output },
    run: () => hand.run(module, name, input, { seconds: options.seconds }).nanoseconds,
    end: () => {},
  };
}

/** All numbers of a result in a row. */
function flat(result: Tree): Float64Array {
  const parts: ArrayLike<number>[] = [];
  const visit = (x: Tree): void => {
    if (isValue(x)) parts.push(x.data);
    else if (typeof x === "number") parts.push([x]);
    else if (x !== null) Object.values(x).forEach(visit);
  };
  visit(result);
  const all = new Float64Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The largest difference of answers, relative to the largest number. */
function apart(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [largest, most] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(b[i] as number));
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }
  return most === 0 ? 0 : most / largest;
}

const milliseconds = (ns: number) => `${(ns / 1e6).toPrecision(3)} ms`;
const ratio = (x: number) => `${x.toPrecision(3)}×`;

function chosen(all: readonly Workload[]): readonly Workload[] {
  const some = all.slice(0, options.upTo ?? all.length);
  if (options.sizes === "all") return some;
  return options.sizes === "largest" ? some.slice(-1) : some.slice(0, 1);
}

/** Times a workload, and prints a line a contender and function. */
function time(
  module: string,
  { name: size, input: draw }: Workload,
  runners: readonly [string, Runner][],
): void {
  const input = draw();
  const functions = Object.keys(problems[module] ?? {});
  const contenders = functions.flatMap((name) => [
    ...runners.map(([title, runner]) => ours(title, runner, module, name, input)),
    ...(options.hand && hand.has(module) ? [byHand(hand, module, name, input)] : []),
  ]);
  const samples: number[][] = contenders.map(() => []);
  for (let round = 0; round < options.rounds; round++)
    for (const [i, contender] of contenders.entries()) samples[i] = samples[i]?.concat(contender.run()) ?? [];
  const medians = samples.map(median);
  const of = (title: string, name: string) => {
    const i = contenders.findIndex((other) => other.title === title && other.name === name);
    return i < 0 ? null : { median: medians[i] as number, output: (contenders[i] as Contender).output };
  };
  contenders.forEach((contender, i) => {
    const { title, name, first, output } = contender;
    const own = medians[i] as number;
    const value = of(title, functions[0] as string);
    const manual = of("by hand", name);
    const hasValue = name !== functions[0] && value !== null && functions.length === 2;
    console.log(
      [
        `${module} ${size}`.padEnd(36),
        name.padEnd(10),
        title.padEnd(10),
        milliseconds(own).padStart(10),
        (first === null ? "" : milliseconds(first)).padStart(10),
        (hasValue ? ratio(own / value.median) : "").padStart(8),
        (manual === null || title === "by hand" ? "" : ratio(own / manual.median)).padStart(8),
        manual === null || title === "by hand"
          ? ""
          : apart(output, manual.output).toExponential(0).padStart(7),
      ].join(" "),
    );
    contender.end();
  });
}

const hand = new HandWritten();
try {
  const runners: [string, Runner][] = [];
  for (const target of options.targets) runners.push([target, await runnerOf(target, options.threads)]);
  console.log(machine());
  const head = ["median".padStart(10), "first".padStart(10), "÷ value".padStart(8), "÷ hand".padStart(8)];
  console.log(["size".padEnd(36), "function".padEnd(10), "contender ", ...head, "  apart"].join(" "));
  for (const module of options.problems)
    for (const workload of chosen(workloads[module] ?? [])) time(module, workload, runners);
} finally {
  hand.dispose();
}
