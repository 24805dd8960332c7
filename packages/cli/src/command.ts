/** The adjoint command: its options, its errors, and what a Ctrl-C does. */

import { createRequire } from "node:module";
import { constants } from "node:os";
import { AdjointError } from "@adjoint/core";
import { Command, CommanderError } from "commander";
import { info } from "./info.ts";
import { Output } from "./output.ts";
import {
  ACTIVATIONS,
  batch,
  directory,
  fraction,
  type Given,
  OPTIMIZERS,
  oneOf,
  positive,
  SCHEDULES,
  sizes,
  whole,
} from "./settings.ts";
import { train } from "./train.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

const EXAMPLES = `
Examples:
  adjoint train                                      MNIST, to about 98%
  adjoint train --epochs 1 --json                    one epoch, and figures for a program
  adjoint train --csv houses.csv --target price      a table: regression or classification
  adjoint train --resume                             go on after Ctrl-C

Ctrl-C saves after the batch under way; a second one quits at once.`;

/** Parts of messages about options of functions, and what they are on the command line. */
const SPELT: readonly (readonly [string, string])[] = [
  ["set clipNorm", "set --clip-norm"],
  ['pass missing: "mean"', "pass --missing mean"],
  ["pass the directory of the four IDX files", "pass --data with the directory of the four IDX files"],
];

/** What commander says of a wrong option, as one sentence: `unknown option '--epoch'. Did you mean --epochs?` */
function complaint(text: string): string {
  const [first = "", hint] = text
    .replace(/^error: /, "")
    .trimEnd()
    .split("\n");
  return `${first.replace(/\.$/, "")}.${hint === undefined ? "" : ` ${hint.replace(/^\((.*)\)$/, "$1")}`}`;
}

const names = (choices: object) => Object.keys(choices) as never[];

/** What commander gives an action. */
interface Flags extends Given {
  readonly out?: string;
  readonly resume?: string | true;
  readonly quiet?: true;
  readonly json?: true;
  readonly debug?: true;
  readonly check: boolean;
  readonly eager?: boolean;
}

function trainCommand(act: (flags: Flags) => Promise<void>): Command {
  return new Command("train")
    .description("train a multilayer perceptron on MNIST or on a table")
    .option(
      "--data <name>",
      '"mnist", or a directory with the four IDX files of such data (default: "mnist")',
    )
    .option("--csv <file>", "a CSV file with a header, gzip or not")
    .option("--target <column>", "the column to predict; all others are inputs")
    .option("--task <kind>", "classification or regression (default: what the column looks like)", (text) =>
      oneOf("--task", ["classification", "regression"], text),
    )
    .option("--missing <what>", 'missing numbers: "error" or "mean" (default: "error")', (text) =>
      oneOf("--missing", ["error", "mean"], text),
    )
    .option("--limit <n>", "only the first n examples", (text) => whole("--limit", 1, text))
    .option(
      "--hidden <sizes>",
      'sizes of hidden layers, for example 128,64, or "none" (default: 128; 64 for a table)',
      (text) => sizes("--hidden", text),
    )
    .option("--activation <name>", `${ACTIVATIONS.join(", ")} (default: relu)`, (text) =>
      oneOf("--activation", ACTIVATIONS, text),
    )
    .option("--optimizer <name>", `${Object.keys(OPTIMIZERS).join(", ")} (default: adam)`, (text) =>
      oneOf("--optimizer", names(OPTIMIZERS), text),
    )
    .option("--learning-rate <x>", "the first learning rate (default: 0.003 with adam)", (text) =>
      positive("--learning-rate", text),
    )
    .option("--schedule <name>", `${Object.keys(SCHEDULES).join(", ")} (default: cosine)`, (text) =>
      oneOf("--schedule", names(SCHEDULES), text),
    )
    .option("--batch-size <n>", 'examples a step, or "full" (default: 128; 32 for a table)', (text) =>
      batch("--batch-size", text),
    )
    .option("--epochs <n>", "times over the data, in all (default: 6; 100 for a table)", (text) =>
      whole("--epochs", 1, text),
    )
    .option("--clip-norm <x>", "scale gradients down to this common norm (default: none)", (text) =>
      positive("--clip-norm", text),
    )
    .option("--seed <n>", "what all random numbers are drawn from (default: 1)", (text) =>
      whole("--seed", 0, text),
    )
    .option(
      "--validation <fraction>",
      "part of the examples to validate on instead of training (default: 0; 0.2 for a table)",
      (text) => fraction("--validation", text),
    )
    .option("--patience <n>", "stop after n epochs without improvement, with the best weights", (text) =>
      whole("--patience", 1, text),
    )
    .option(
      "--out <directory>",
      "where the files go (default: runs/mnist, or runs/ and the file's name)",
      (text) => directory("--out", text),
    )
    .option("--resume [run]", "go on with an interrupted run: its directory or checkpoint (default: --out)")
    .option("--no-check", "leave out the gradient check")
    .option("--eager", "compile nothing")
    .option("--quiet", "print nothing but errors")
    .option("--json", "end standard output with one JSON object; text goes to standard error")
    .option("--debug", "show the stack of an error")
    .allowExcessArguments(false)
    .addHelpText("after", EXAMPLES)
    .action(act);
}

/** An error as one sentence: for an option of the command without the colon, for a function without its name. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof AdjointError)) return error.message;
  const rest = error.message.slice(error.where.length + 2);
  if (error.where.startsWith("--")) return `${error.where} ${rest}`;
  return SPELT.reduce((text, [name, option]) => text.replace(name, option), rest);
}

/** Runs the command; returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let code = 0;
  let failed: { error: unknown; debug: boolean; output: Output } | null = null;
  const program = new Command("adjoint")
    .description("Reverse-mode automatic differentiation: train networks from the command line.")
    .version(version, "-v, --version", "print the version")
    .exitOverride();
  const command = trainCommand(async ({ out, resume, quiet, json, debug, check, eager, ...given }) => {
    const output = new Output({ quiet: quiet === true, json: json === true });
    const stop = new AbortController();
    let received = 0;
    const onSignal = (signal: NodeJS.Signals) => {
      if (received !== 0) {
        process.stderr.write("\n");
        process.exit(128 + constants.signals[signal]);
      }
      received = constants.signals[signal];
      stop.abort();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    try {
      const { data, ...rest } = given;
      // "mnist" names what the default is, unless a directory is called so, and is no table.
      const named = data === undefined || (data === "mnist" && given.csv === undefined) ? {} : { data };
      const options = {
        given: { ...rest, ...named },
        out: out ?? null,
        resume: resume ?? null,
        check,
        eager: eager === true,
      };
      code = await train(options, output, stop.signal, () => received);
    } catch (error) {
      failed = { error, debug: debug === true, output };
    } finally {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    }
  });
  for (const one of [program, command]) {
    one.configureOutput({ outputError: (text, write) => write(`adjoint: ${complaint(text)}\n`) });
  }
  program.addCommand(command.exitOverride());
  program
    .command("info")
    .description("say what is here that compiled code would use")
    .option("--json", "end standard output with one JSON object; text goes to standard error")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`adjoint: ${complaint(text)}\n`) })
    .action(({ json }: { readonly json?: true }) =>
      info(version, new Output({ quiet: false, json: json === true })),
    );
  try {
    await program.parseAsync(argv as string[], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) {
        const output = new Output({ quiet: false, json: argv.includes("--json") });
        output.report({ failed: complaint(error.message) });
      }
      return error.exitCode;
    }
    failed = {
      error,
      debug: argv.includes("--debug"),
      output: new Output({ quiet: false, json: argv.includes("--json") }),
    };
  }
  if (failed === null) return code;
  const { error, debug, output } = failed;
  process.stderr.write(`adjoint: ${sentence(error)}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else if (!(error instanceof AdjointError)) process.stderr.write("Add --debug to see where.\n");
  output.report({ failed: sentence(error) });
  return 1;
}
