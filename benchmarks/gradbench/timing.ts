/** Timing: a computation again and again, each time measured. */

import type { Timing } from "./protocol.ts";

/** How often and how long at least. */
export interface Times {
  readonly runs: number;
  readonly seconds: number;
}

/** Runs a computation once. */
export function timed<T>(name: Timing["name"], compute: () => T): { result: T; timing: Timing } {
  const start = process.hrtime.bigint();
  const result = compute();
  return { result, timing: { name, nanoseconds: Number(process.hrtime.bigint() - start) } };
}

/**
 * Runs a computation until it has run often and long enough, once at least; the result is the last one's. Nothing but the
 * computation is counted. What it does in its first run only, as capturing and compiling, is.
 */
export function repeated<T>(compute: () => T, { runs, seconds }: Times): { result: T; timings: Timing[] } {
  const timings: Timing[] = [];
  let left = seconds * 1e9;
  for (;;) {
    const { result, timing } = timed("evaluate", compute);
    timings.push(timing);
    left -= timing.nanoseconds;
    if (timings.length >= runs && left <= 0) return { result, timings };
  }
}
