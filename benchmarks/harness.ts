/** Runs a workload: every contender in a process of its own, answers compared first, then rounds in turn. */

import type { Entry } from "./contenders/index.ts";
import type { Workload } from "./problem.ts";
import type { Checked, Started } from "./protocol.ts";
import { open, type Session } from "./session.ts";
import { type Answers, difference, median } from "./statistics.ts";

/** How much time a run takes. */
export interface Effort {
  /** Rounds that every contender works in, in turn. */
  readonly rounds: number;
  /** Milliseconds of a contender's round. */
  readonly round: number;
  /** Milliseconds of work before the first round, for engines that compile what is hot. */
  readonly warmUp: number;
  /** Milliseconds after which a contender works no further rounds on a workload, and after which it is given up. */
  readonly patience: number;
  readonly deadline: number;
}

/** What a contender did on a workload. */
export type Result = Timed | Untimed;

interface Named {
  readonly workload: string;
  readonly contender: string;
}

/** Answers that agree, and their times in milliseconds. */
export interface Timed extends Named {
  readonly state: "timed";
  readonly median: number;
  readonly minimum: number;
  /** How many samples the median is of. */
  readonly samples: number;
  /** The first step, with all that is traced or compiled then. */
  readonly first: number;
  /** Loading the contender and giving it the data. */
  readonly load: number;
  /** Bytes at the process's peak, above what it had before the contender was loaded. */
  readonly memory: number;
  /** Largest relative difference from the answers of the first contender. */
  readonly difference: number;
}

/** Not timed, for a reason. */
interface Untimed extends Named {
  /** `refused`: its answers differ. `fails`: it throws or does not end. */
  readonly state: "refused" | "fails";
  readonly reason: string;
}

/** A contender that takes part in the rounds. */
interface Active {
  readonly entry: Entry;
  readonly session: Session;
  readonly started: Started;
  readonly checked: Checked;
  readonly difference: number;
  readonly samples: number[];
  /** Milliseconds of steps so far. */
  spent: number;
}

/** What a difference of answers means: null, or why they are refused. */
export function refusal(answers: Answers, reference: Answers, tolerance: number): string | null {
  const off = difference(answers, reference);
  if (off <= tolerance) return null;
  const shown = ({ values }: Answers) => values.at(-1)?.toPrecision(7);
  return `answers ${shown(answers)}, not ${shown(reference)}, ${off.toExponential(1)} apart in value or gradient`;
}

/** Runs a workload; results of those that can do it, in the order of the contenders. The first sets the answers. */
export async function runWorkload(
  workload: Workload,
  contenders: readonly Entry[],
  effort: Effort,
): Promise<Result[]> {
  const results = new Map<Entry, Result>();
  const active: Active[] = [];
  let reference: Answers | null = null;
  const fail = (entry: Entry, state: Untimed["state"], reason: string) => {
    results.set(entry, { workload: workload.id, contender: entry.id, state, reason });
  };
  try {
    for (const entry of contenders) {
      if (workload.without?.includes(entry.id)) continue;
      const session = open(workload, entry.id);
      try {
        const start = { do: "start", workload: workload.id, contender: entry.id } as const;
        const started = await session.ask(start, effort.deadline);
        if (!started.able) {
          session.end();
          continue;
        }
        const checked = await session.ask({ do: "check", steps: workload.checked }, effort.deadline);
        reference ??= checked;
        const refused = refusal(checked, reference, workload.tolerance);
        if (refused !== null) {
          fail(entry, "refused", refused);
          session.end();
          continue;
        }
        const spent = checked.times.reduce((sum, time) => sum + time, 0);
        active.push({
          ...{ entry, session, started, checked, samples: [], spent },
          difference: difference(checked, reference),
        });
      } catch (error) {
        fail(entry, "fails", oneLine(error));
        session.end();
      }
    }
    for (let round = 0; round <= effort.rounds; round++) {
      for (const one of active) {
        if (results.has(one.entry) || one.spent > effort.patience) continue;
        try {
          const milliseconds = round === 0 ? effort.warmUp : effort.round;
          const { samples } = await one.session.ask({ do: "round", milliseconds }, effort.deadline);
          // A step that is as long as the warm-up has nothing to warm up.
          if (round > 0 || (samples.length === 1 && (samples[0] as number) > effort.warmUp))
            one.samples.push(...samples);
          one.spent += Math.max(milliseconds, samples[0] as number);
        } catch (error) {
          fail(one.entry, "fails", oneLine(error));
        }
      }
    }
    for (const { entry, session, started, checked, samples, difference } of active) {
      if (results.has(entry)) continue;
      const { peak } = await session.ask({ do: "memory" }, effort.deadline);
      const times = samples.length > 0 ? samples : checked.times.slice(-1);
      results.set(entry, {
        ...{ workload: workload.id, contender: entry.id, state: "timed" },
        ...{ median: median(times), minimum: Math.min(...times), samples: times.length },
        ...{ first: checked.times[0] as number, load: started.load + started.prepare },
        ...{ memory: peak, difference },
      });
    }
  } finally {
    for (const { session } of active) session.end();
  }
  return contenders.flatMap((entry) => results.get(entry) ?? []);
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
