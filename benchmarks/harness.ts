/** Times contenders against each other: alternating rounds in one process, answers compared before timing. */

import { cpus } from "node:os";

/** One way to do a piece of work. It returns a number that depends on all of the work. */
interface Contender {
  readonly name: string;
  readonly run: () => number;
}

/** Pieces of the same work, and what one run of it counts as. */
export interface Case {
  readonly name: string;
  /** How many operations one run is, to give nanoseconds an operation; left out, milliseconds a run. */
  readonly operations?: number;
  /** Floating-point operations of one run, to give GFLOP/s. */
  readonly flops?: number;
  readonly contenders: readonly Contender[];
  /** Largest relative difference of answers that still counts as the same work. */
  readonly tolerance: number;
}

/** One contender's times, in milliseconds a run. */
export interface Row {
  readonly case: string;
  readonly contender: string;
  readonly minimum: number;
  readonly median: number;
  /** Median time as a multiple of the first contender's. */
  readonly ratio: number;
  readonly nsPerOperation?: number;
  readonly gflops?: number;
}

/** Runs a case for a number of rounds after a warm-up; refuses contenders whose answers differ. */
export function runCase({ name, operations, flops, contenders, tolerance }: Case, rounds: number): Row[] {
  const times = contenders.map(() => [] as number[]);
  const warmUp = Math.ceil(rounds / 3);
  for (let round = -warmUp; round < rounds; round++) {
    const answers = contenders.map(({ run }, i) => {
      const start = performance.now();
      const answer = run();
      if (round >= 0) times[i]?.push(performance.now() - start);
      return answer;
    });
    const first = answers[0] as number;
    answers.forEach((answer, i) => {
      if (Math.abs(answer - first) <= tolerance * Math.abs(first)) return;
      throw new Error(`${name}: ${contenders[i]?.name} answers ${answer}, ${contenders[0]?.name} ${first}.`);
    });
  }
  const medians = times.map((all) => all.sort((a, b) => a - b)[all.length >> 1] as number);
  return contenders.map((contender, i) => {
    const median = medians[i] as number;
    return {
      case: name,
      contender: contender.name,
      minimum: times[i]?.[0] as number,
      median,
      ratio: median / (medians[0] as number),
      ...(operations === undefined ? {} : { nsPerOperation: (median * 1e6) / operations }),
      ...(flops === undefined ? {} : { gflops: flops / median / 1e6 }),
    };
  });
}

/** The machine and engine, as a table's caption states them. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${model}, ${cpus().length} cores, Node ${process.versions.node}, V8 ${process.versions.v8}`;
}

/** Rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const unit =
      row.nsPerOperation !== undefined
        ? `${row.nsPerOperation.toFixed(1)} ns an operation`
        : row.gflops !== undefined
          ? `${row.gflops.toFixed(2)} GFLOP/s`
          : "";
    return `| ${row.case} | ${row.contender} | ${row.minimum.toFixed(3)} | ${row.median.toFixed(3)} | ${row.ratio.toFixed(2)} | ${unit} |`;
  });
  return [
    "| work | contender | minimum, ms | median, ms | ratio | |",
    "| --- | --- | ---: | ---: | ---: | --- |",
    ...lines,
  ].join("\n");
}
