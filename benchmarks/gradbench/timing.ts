/** Timing: a computation again and again, each time measured. */

import type { Timing } from "./protocol.ts";

/** How often and how long at least. */
export interface Times {
  readonly runs: number;
  readonly seconds: number;
}

/**
 * Runs a computation until it has run often and long enough, once at least; the result is the last one's. Nothing but the
 * computation is counted. What it does in its first run only, as capturing and compiling, is.
 */
export function repeated<T>(compute: () => T, { runs, seconds }: Times): { result: T; timings: Timing[] } {
  const timings: Timing[] = [];
  let left = seconds * 1e9;
  for (;;) {
    const start = process.hrtime.bigint();
    const result = compute();
    const nanoseconds = Number(process.hrtime.bigint() - start);
    timings.push({ name: "evaluate", nanoseconds });
    left -= nanoseconds;
    if (timings.length >= runs && left <= 0) return { result, timings };
  }
}
