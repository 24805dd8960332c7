/** The driver: GradBench's problems on inputs of its sizes, without GradBench. `npm run bench:gradbench -- --help`. */

import { isValue } from "@adjoint/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { machine } from "../report.ts";
import { mean, median } from "../statistics.ts";
import { HandWritten } from "./hand-written.ts";
import { type Workload, workloads } from "./inputs.ts";
import type { Input, Tree } from "./problem.ts";
import { problems } from "./problems/index.ts";
import { type Runner, runnerOf, TARGETS, type TargetName, threadsOf } from "./targets.ts";
import { repeated, timed } from "./timing.ts";

interface Options {
  readonly problems: readonly string[];
  readonly targets: readonly TargetName[];
  readonly threads: number;
  readonly sizes: "all" | "smallest" | "largest";
  readonly upTo?: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly minSeconds: number;
  readonly hand: boolean;
  readonly prepare: boolean;
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
  .option("--min-seconds <count>", "for the runs before, of which GradBench takes the mean", positive, 1)
  .option("--no-hand", "without derivatives by hand")
  .option("--no-prepare", "capture and compile in the first run, also where that depends on sizes alone")
  .parse()
  .opts<Options>();

/** A function of a problem on an input, by one contender. */
interface Contender {
  readonly title: string;
  readonly name: string;
  /** Nanoseconds of capturing and compiling before the first run; 0 where that is part of it. */
  readonly prepared: number;
  /** Nanoseconds of the runs that GradBench would ask for. */
  readonly asked: readonly number[];
  /** Runs it for some time; nanoseconds of each run. */
  run(): readonly number[];
  readonly output: Float64Array;
  end(): void;
}

function ours(title: string, runner: Runner, module: string, name: string, input: Input): Contender {
  const task = problems[module]?.[name];
  if (task === undefined) throw new Error(`${module} has no ${name}`);
  const { f, args, readsInput = false } = task(input);
  const runnable = runner(f);
  const prepares = options.prepare && !readsInput;
  const prepared = prepares ? timed("prepare", () => runnable.prepare?.(...args)).timing.nanoseconds : 0;
  const runFor = (seconds: number) => {
    const { result, timings } = repeated(() => runnable(...args), { runs: 1, seconds });
    return { result, nanoseconds: timings.map(({ nanoseconds }) => nanoseconds) };
  };
  const { result, nanoseconds: asked } = runFor(options.minSeconds);
  return {
    ...{ title, name, prepared, asked, output: flat(result as Tree) },
    run: () => runFor(options.seconds).nanoseconds,
    end: () => runnable.dispose?.(),
  };
}

const BY_HAND = "by hand";

function byHand(hand: HandWritten, module: string, name: string, input: Input): Contender {
  const { output, nanoseconds: asked } = hand.run(module, name, input, { seconds: options.minSeconds });
  return {
    ...{ title: BY_HAND, name, prepared: 0, asked, output },
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

/** Times of a contender's function, in nanoseconds: on one input, or summed over several. */
interface Times {
  readonly title: string;
  readonly name: string;
  /** Of the runs once everything is compiled, the median. */
  readonly median: number;
  /** Capturing and compiling, and the first run. */
  readonly first: number;
  /** What GradBench takes: the mean of the runs that it would ask for. */
  readonly score: number;
}

const HEAD = ["median", "first", "score"];
const RATIOS = ["÷ value", "÷ hand", "÷ hand"];

/** A line of a table: of what, by whom, and cells of numbers. */
function line(size: string, name: string, title: string, cells: readonly string[]): void {
  const numbers = cells.map((cell, i) => cell.padStart(i < HEAD.length ? 10 : 8));
  console.log([size.padEnd(36), name.padEnd(10), title.padEnd(10), ...numbers].join(" "));
}

/** Prints a line of times, beside those of a problem's value and those by hand. */
function print(size: string, times: Times, all: readonly Times[], more: readonly string[] = []): void {
  const { title, name, median, first, score } = times;
  const value = all.find((other) => other.title === title);
  const manual = title === BY_HAND ? undefined : all.find((x) => x.title === BY_HAND && x.name === name);
  const isDerivative =
    value !== undefined && value !== times && all.every((x) => [value.name, name].includes(x.name));
  line(size, name, title, [
    ...[median, title === BY_HAND ? null : first, score].map((ns) => (ns === null ? "" : milliseconds(ns))),
    isDerivative ? ratio(median / value.median) : "",
    ...(manual === undefined ? ["", ""] : [ratio(median / manual.median), ratio(score / manual.score)]),
    ...more,
  ]);
}

/** Times a workload, and prints a line a contender and function. */
function time(
  module: string,
  { name: size, input: draw }: Workload,
  runners: readonly [string, Runner][],
): readonly Times[] {
  const input = draw();
  const functions = Object.keys(problems[module] ?? {});
  const contenders = functions.flatMap((name) => [
    ...runners.map(([title, runner]) => ours(title, runner, module, name, input)),
    ...(options.hand && hand.has(module) ? [byHand(hand, module, name, input)] : []),
  ]);
  const samples: number[][] = contenders.map(() => []);
  for (let round = 0; round < options.rounds; round++)
    for (const [i, contender] of contenders.entries()) samples[i] = samples[i]?.concat(contender.run()) ?? [];
  const times = contenders.map(({ title, name, prepared, asked }, i): Times => {
    const first = prepared + (asked[0] as number);
    return { title, name, median: median(samples[i] ?? []), first, score: mean(asked) };
  });
  contenders.forEach(({ title, name, output, end }, i) => {
    const manual = contenders.find((other) => other.title === BY_HAND && other.name === name);
    const distance = manual === undefined || title === BY_HAND ? null : apart(output, manual.output);
    print(
      `${module} ${size}`,
      times[i] as Times,
      times,
      distance === null ? [] : [distance.toExponential(0)],
    );
    end();
  });
  return times;
}

/** Times of the same contender's function on several inputs, summed. */
function summed(all: readonly (readonly Times[])[]): readonly Times[] {
  return (all[0] ?? []).map((times, i) => {
    const sum = (of: "median" | "first" | "score") =>
      all.reduce((ns, other) => ns + (other[i] as Times)[of], 0);
    return { ...times, median: sum("median"), first: sum("first"), score: sum("score") };
  });
}

const hand = new HandWritten();
try {
  const runners: [string, Runner][] = [];
  for (const target of options.targets) runners.push([target, await runnerOf(target, options.threads)]);
  console.log(machine());
  line("size", "function", "contender", [...HEAD, ...RATIOS, "apart"]);
  for (const module of options.problems) {
    const all = chosen(workloads[module] ?? []).map((workload) => time(module, workload, runners));
    const sums = summed(all);
    if (all.length > 1) for (const times of sums) print(`${module}, all of these`, times, sums);
  }
} finally {
  hand.dispose();
}
