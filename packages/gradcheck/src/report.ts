/** What a gradient check found, and how a person reads it. */

import { AdjointError } from "@adjoint/core";
import type { Cause } from "./cause.ts";

/** One derivative: the analytic beside the numeric one. */
export interface Discrepancy {
  /** The input that the derivative is by: `inputs[0].weight`, or the random direction that it is along. */
  readonly input: string;
  /** The entry's place along each axis of the input. */
  readonly index: readonly number[];
  /** Which entry of the output, where there are several. */
  readonly output: string | null;
  /** 1 for a gradient, 2 for a derivative of one. */
  readonly order: 1 | 2;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic − numeric|. */
  readonly error: number;
  /** What the numeric derivative itself may be off by. */
  readonly estimate: number;
  /** What the error may be. */
  readonly tolerance: number;
  /** The likely cause; null where the two agree. */
  readonly cause: Cause | null;
  /** A sentence on the cause; null where the two agree. */
  readonly explanation: string | null;
}

/** What a report is made of. */
export interface ReportParts {
  readonly where: string;
  readonly checked: number;
  readonly undecided: number;
  readonly failureCount: number;
  readonly failures: readonly Discrepancy[];
  readonly worst: Discrepancy | null;
  readonly deterministic: boolean;
  /** What was checked: `6 derivatives by 6 entries of 2 inputs`. */
  readonly scope: string;
  readonly atol: number;
  readonly rtol: number;
  readonly safety: number;
}

/** The outcome of a gradient check. `console.log(report)` shows it as text. */
export class GradcheckReport {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
    for (const symbol of ["nodejs.util.inspect.custom", "Deno.customInspect"]) {
      Object.defineProperty(this, Symbol.for(symbol), { value: () => this.toString() });
    }
  }

  /** Whether all derivatives agree, two evaluations did, and at least one comparison was conclusive. */
  get passed(): boolean {
    const { failureCount, deterministic, checked, undecided } = this.#parts;
    return failureCount === 0 && deterministic && (checked === 0 || undecided < checked);
  }

  /** How many derivatives were compared. */
  get checked(): number {
    return this.#parts.checked;
  }

  /** How many comparisons agree only because rounding hides the derivative. */
  get undecided(): number {
    return this.#parts.undecided;
  }

  /** How many derivatives differ. */
  get failureCount(): number {
    return this.#parts.failureCount;
  }

  /** The derivatives that differ, worst first, as many as `maxFailures` allows. */
  get failures(): readonly Discrepancy[] {
    return this.#parts.failures;
  }

  /** The derivative that differs most, measured by its tolerance; null where nothing was compared. */
  get worst(): Discrepancy | null {
    return this.#parts.worst;
  }

  /** Whether two evaluations at the same point gave the same value. */
  get deterministic(): boolean {
    return this.#parts.deterministic;
  }

  toString(): string {
    const { where, checked, undecided, failureCount, failures, worst, scope } = this.#parts;
    if (this.passed) {
      const closest =
        worst === null
          ? ""
          : `; worst error ${digits(worst.error)}, tolerance ${digits(worst.tolerance)}, at ${nameOf(worst)}`;
      const open = undecided === 0 ? "" : `\n  ${undecided} of them lie below the rounding of the values`;
      return `${where}: passed, ${scope}${closest}${open}`;
    }
    if (failureCount === 0) {
      const reason = this.deterministic
        ? "every derivative lies below the rounding of the function's values; subtract what is constant, or use float64"
        : "two evaluations of the function at the same point differ; fix the seeds, and switch dropout off";
      return `${where}: FAILED, ${scope}; ${reason}`;
    }
    const lines = [`${where}: FAILED, ${failureCount} of ${checked} derivatives differ (${scope})`, ""];
    if (worst !== null) lines.push(...this.#detail(worst));
    if (failures.length > 1) lines.push("", ...table(failures));
    const more = failureCount - failures.length;
    if (more > 0 && failures.length > 1) lines.push(`  and ${more} more`);
    return lines.join("\n");
  }

  #detail(worst: Discrepancy): string[] {
    const { atol, rtol, safety } = this.#parts;
    const rule = `${digits(atol)} + ${digits(rtol)}·|derivative| + ${safety}·estimate`;
    return [
      `  worst at ${nameOf(worst)}`,
      `    analytic   ${long(worst.analytic)}`,
      `    numeric    ${long(worst.numeric)} ± ${digits(worst.estimate)}`,
      `    error      ${digits(worst.error)}, tolerance ${digits(worst.tolerance)} (${rule})`,
      `    cause      ${worst.cause}: ${worst.explanation}`,
    ];
  }
}

/** A gradient check that failed: the report is its message. */
export class GradientError extends AdjointError {
  readonly report: GradcheckReport;

  constructor(where: string, report: GradcheckReport) {
    super({ where, expected: "analytic and numeric derivatives must agree" });
    this.report = report;
    this.message = `${this.message}\n${report}`;
  }
}

/** A derivative's place: `inputs[0][1, 2]`, with the output where there are several. */
function nameOf({ input, index, output, order }: Discrepancy): string {
  const entry = index.length === 0 ? input : `${input}[${index.join(", ")}]`;
  const of = output === null ? "" : ` of ${output}`;
  return `${entry}${of}${order === 2 ? " (second order)" : ""}`;
}

function table(failures: readonly Discrepancy[]): string[] {
  const rows = failures.map((each) => [
    nameOf(each),
    digits(each.analytic),
    digits(each.numeric),
    digits(each.error),
    String(each.cause),
  ]);
  const all = [["derivative by", "analytic", "numeric", "error", "cause"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...all.map((row) => (row[column] as string).length)),
  );
  return all.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 || column === 4
        ? cell.padEnd(widths[column] as number)
        : cell.padStart(widths[column] as number),
    );
    return `  ${cells.join("  ").trimEnd()}`;
  });
}

/** A number in full, as a person compares it with another. */
function long(x: number): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(12))) : String(x);
}

/** A number in few digits. */
function digits(x: number): string {
  const rounded = Number.isFinite(x) ? Number(x.toPrecision(3)) : x;
  const plain = String(rounded);
  return plain.length > 9 ? rounded.toExponential() : plain;
}
