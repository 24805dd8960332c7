/** Progress on a terminal, or as lines in a file or pipe; Node only. */

import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { SingleBar } from "cli-progress";
import type { Scores } from "./training/parts.ts";
import type { BatchProgress, ProgressReporter, RunStart } from "./training/progress.ts";
import type { EpochRecord } from "./training/state.ts";

/** What of a stream is looked at here: declarations then need no types of Node. */
interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Where progress is written. */
export interface TerminalProgressOptions {
  /** By default standard error. */
  readonly stream?: TextStream;
  /** Metrics that are fractions and read better in per cent, for example accuracy. */
  readonly percent?: readonly string[];
  /** What the validation data are called; by default "validation". */
  readonly validation?: string;
}

const TERMINAL: OptionNames<TerminalProgressOptions> = { stream: true, percent: true, validation: true };

/** On a terminal, epochs that are shorter than this do not each get a line, in milliseconds. */
const BETWEEN_LINES = 1000;
/** Columns left free, so that the ^C that a terminal shows does not break the line. */
const FREE = 3;
const CLEAR_BELOW = "\x1b[J";
const SHORTEST_BAR = 8;
const LONGEST_BAR = 30;

/** A figure in at most six characters where it is of common size. */
export function formatFigure(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return x.toExponential(2);
  return x.toFixed(size < 10 ? 4 : size < 1000 ? 2 : 0);
}

/** A length of time, in seconds, as `9.5 s`, `1:05` or `2:01:05`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const pad = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** A time that is left, as `0:42`. */
function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-:--";
  return seconds < 59.5 ? `0:${String(Math.round(seconds)).padStart(2, "0")}` : formatSeconds(seconds);
}

function group(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, " ");
}

/**
 * Shows progress: on a terminal a bar over the whole run, with a line for each epoch that is done; elsewhere the lines
 * alone. The cursor stays visible and line wrapping on, so that a program that is killed leaves the terminal usable.
 */
export function terminalProgress(options: TerminalProgressOptions = {}): ProgressReporter {
  const {
    stream = process.stderr,
    percent = [],
    validation: held = "validation",
  } = checkOptions("terminalProgress", options, TERMINAL);
  let run: RunStart = { epochs: 1, epoch: 0, examples: 1, done: 0 };
  let bar: SingleBar | null = null;
  let begun = 0;
  let seen = 0;
  let first = 0;
  let lastLine = Number.NEGATIVE_INFINITY;
  let latest: BatchProgress | null = null;

  const show = (name: string, x: number) =>
    percent.includes(name) ? `${(100 * x).toFixed(2)}%` : formatFigure(x);
  const named = ({ loss, metrics }: Scores): string =>
    [["loss", loss] as const, ...Object.entries(metrics)]
      .map(([name, x]) => `${name} ${show(name, x)}`)
      .join("  ");
  // In the same order, so that a line fits into 80 columns.
  const bare = ({ loss, metrics }: Scores): string =>
    [["loss", loss] as const, ...Object.entries(metrics)].map(([name, x]) => show(name, x)).join("  ");
  const epochText = (epoch: number) =>
    `epoch ${String(epoch).padStart(String(run.epochs).length)}/${run.epochs}`;
  const line = (record: EpochRecord): string => {
    const validation = record.validation === null ? "" : `  ${held} ${bare(record.validation)}`;
    return `${epochText(record.epoch)}  ${named(record)}${validation}  ${formatSeconds(record.seconds)}`;
  };

  const drawn = (width: number): string => {
    const total = run.epochs * run.examples;
    const spent = (performance.now() - begun) / 1000;
    const speed = seen === first ? Number.NaN : (seen - first) / spent;
    const left = clock((total - seen) / speed);
    const epoch = epochText(latest?.epoch ?? Math.min(run.epoch + 1, run.epochs));
    const rate = Number.isNaN(speed) ? "" : `  ${group(speed)} examples/s`;
    const loss = latest === null ? "" : `  loss ${formatFigure(latest.loss)}`;
    let after = `${loss}${rate}  ${left} left`;
    let room = width - FREE - epoch.length - 2 - after.length;
    if (room < SHORTEST_BAR) {
      after = `${loss}  ${left} left`;
      room = width - FREE - epoch.length - 2 - after.length;
    }
    const size = Math.min(LONGEST_BAR, room);
    if (size < SHORTEST_BAR) return `${epoch}${after}`.slice(0, Math.max(0, width - FREE));
    const full = Math.round(size * Math.min(1, seen / total));
    return `${epoch}  ${"█".repeat(full)}${"░".repeat(size - full)}${after}`;
  };

  const draw = (): void => {
    if (!stream.isTTY || bar !== null) return;
    bar = new SingleBar({
      stream: stream as NodeJS.WriteStream,
      format: (_options, params) => drawn((params as { maxWidth?: number }).maxWidth ?? 80),
      clearOnComplete: true,
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
    });
    bar.start(run.epochs * run.examples, seen);
  };
  const hide = (): void => {
    if (bar === null) return;
    bar.stop();
    bar = null;
    // A key that was pressed may have moved the bar down a line.
    stream.write(CLEAR_BELOW);
  };

  return {
    start(next) {
      run = next;
      seen = run.epoch * run.examples + run.done;
      first = seen;
      begun = performance.now();
      draw();
    },
    batch(progress) {
      latest = progress;
      seen = (progress.epoch - 1) * run.examples + progress.done;
      bar?.update(seen);
    },
    epoch(record) {
      const now = performance.now();
      if (stream.isTTY && now - lastLine < BETWEEN_LINES && record.epoch !== run.epochs) return;
      lastLine = now;
      hide();
      stream.write(`${line(record)}\n`);
      if (record.epoch !== run.epochs) draw();
    },
    stop: hide,
  };
}

/** What shows progress unless told otherwise: a bar or lines on standard error. */
export function defaultProgress(): ProgressReporter | null {
  return terminalProgress({ percent: ["accuracy"] });
}
