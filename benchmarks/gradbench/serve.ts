/** Serving: answers the messages of an eval, one line of JSON each, until standard input ends. */

import { Command, Option } from "commander";
import { linesOf } from "./protocol.ts";
import { answerTo } from "./session.ts";
import { runnerOf, TARGETS, type TargetName, threadsOf } from "./targets.ts";

/** Reads the options of the command line, and serves until there is nothing more to read. */
export async function serve(): Promise<void> {
  const { target, threads, prepare } = new Command("tool.ts")
    .description("Answers the messages of GradBench's evals, one line of JSON each, until its input ends.")
    .addOption(new Option("--target <name>", "how functions are run").choices(TARGETS).default("wasm"))
    .option(
      "--threads <count>",
      "how many share the work of large steps; by default as many as there are",
      threadsOf,
    )
    .option("--no-prepare", "capture and compile in the first run, also where that depends on sizes alone")
    .parse()
    .opts<{ target: TargetName; threads?: number; prepare: boolean }>();

  // Standard output is for answers alone.
  console.log = console.info = console.debug = console.error;
  try {
    const run = await runnerOf(target, threads);
    for await (const line of linesOf(process.stdin))
      await write(`${JSON.stringify(answerTo(line, run, prepare))}\n`);
  } catch (error) {
    console.error(`tool: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
