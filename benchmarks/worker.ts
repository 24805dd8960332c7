/** One contender on one workload, in a process of its own: reads commands from its input, replies on its output. */

import { createInterface } from "node:readline";
import { workloads } from "./cases/index.ts";
import { entries } from "./contenders/index.ts";
import type { Run } from "./problem.ts";
import type { Checked, Command, Memory, Round, Started } from "./protocol.ts";
import { digest } from "./statistics.ts";

// A sample is a batch of steps that takes about so many milliseconds, so that the clock's own cost does not count.
const SAMPLE = 1;

const reply = process.stdout.write.bind(process.stdout);
// Banners that peers print would stand between replies.
for (const name of ["log", "info", "debug"] as const) console[name] = () => {};

const before = process.resourceUsage().maxRSS;
let run: Run | null = null;
let batch = 1;

async function start(workload: string, contender: string): Promise<Started> {
  const { kind, problem } = workloads.find(({ id }) => id === workload) as (typeof workloads)[number];
  const data = problem();
  const begin = performance.now();
  const loaded = await entries.find(({ id }) => id === contender)?.load?.();
  const ready = loaded?.[kind];
  if (ready === undefined) return { able: false, load: 0, prepare: 0 };
  const middle = performance.now();
  run = await (ready as (problem: unknown) => Run | Promise<Run>)(data);
  return { able: true, load: middle - begin, prepare: performance.now() - middle };
}

async function check({ step, gradients }: Run, steps: number): Promise<Checked> {
  const values: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < steps; i++) {
    const begin = performance.now();
    values.push(await step());
    times.push(performance.now() - begin);
  }
  return { values, times, gradients: gradients?.().map(digest) ?? [] };
}

async function timeBatch({ step }: Run, size: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < size; i++) {
    const value = step();
    // Only what is asynchronous pays for waiting.
    if (typeof value !== "number") await value;
  }
  return performance.now() - begin;
}

async function round(run: Run, milliseconds: number): Promise<Round> {
  const samples: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const time = await timeBatch(run, batch);
    samples.push(time / batch);
    if (time < SAMPLE / 2) batch *= 2;
  } while (performance.now() < end);
  return { samples };
}

function memory(): Memory {
  return { peak: (process.resourceUsage().maxRSS - before) * 1024 };
}

async function answer(command: Command): Promise<Started | Checked | Round | Memory> {
  if (command.do === "start") return start(command.workload, command.contender);
  if (run === null) throw new Error(`${command.do}: start must come first.`);
  if (command.do === "check") return check(run, command.steps);
  return command.do === "round" ? round(run, command.milliseconds) : memory();
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await answer(JSON.parse(line)).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }));
  reply(`${JSON.stringify(result)}\n`);
}
