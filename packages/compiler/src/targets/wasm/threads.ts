/**
 * Threads: how the thread that runs a program shares parts of a step with workers on the same memory.
 *
 * A task is a function of the number of a part. The running thread publishes a task; whoever is there claims one part after
 * the other; when no part is left the running thread waits for those that others are still at. Nobody waits for a worker that
 * has not come.
 */

import type { FunctionReference, ModuleBuilder } from "./assembler.ts";
import type { Label } from "./function.ts";

/** Where in memory what threads say to each other is kept; no buffer is below `end`. */
export const board = {
  /** Of 64 bits: the number of the task since the start · 2¹⁶ + how many parts it has · 2⁸ + the next one. */
  state: 64,
  /** Which function the task is. */
  task: 72,
  /** How many parts are done. */
  done: 76,
  /** How many workers are looking for parts. */
  present: 80,
  /** A worker's question: 0 where there is none, 1 when it is asked, 2 when it is answered. */
  question: 84,
  /** Whether a worker is asking: 1, or 0. */
  asking: 88,
  /** Which function of numbers it wants, and of how many. */
  wanted: 92,
  count: 96,
  /** These numbers, at most 8; the answer in the place of the first. */
  numbers: 128,
  end: 192,
} as const;

/** What a module calls outside when it has tasks. */
export interface ThreadImports {
  /** Calls a number of workers that are not looking. */
  readonly wake: FunctionReference;
  /** Answers a worker's question. */
  readonly answer: FunctionReference;
  /** Lets others have the processor for a moment. */
  readonly pause: FunctionReference;
}

/** The most parts that a task can have. */
export const MOST_PARTS = 64;

/** How often a worker looks for a part before it goes to sleep: about a tenth of a millisecond. */
const PATIENCE = 20_000;

/** How often the running thread looks whether all is done, less one, before it pauses: about ten microseconds. */
const LOOKS = 2 ** 12 - 1;

/** Imports what `defineSharing` wants. */
export function importThreads(module: ModuleBuilder): ThreadImports {
  return {
    wake: module.importFunction("threads", "wake", ["i32"], []),
    answer: module.importFunction("threads", "answer", [], []),
    pause: module.importFunction("threads", "pause", [], []),
  };
}

/**
 * Defines the function that does a task, of its number and its number of parts, and exports `help`, in which a worker does
 * parts of tasks until for a while there are none.
 */
export function defineSharing(
  module: ModuleBuilder,
  tasks: readonly FunctionReference[],
  { wake, answer, pause }: ThreadImports,
): FunctionReference {
  const perform = definePerform(module, tasks);

  /** Does parts of the task that there is until none is left; returns how many. */
  const work = module.define("work", [], ["i32"], (f) => {
    const state = f.local("i64");
    const task = f.local("i32");
    const part = f.local("i32");
    const count = f.local("i32");
    f.loop((again) => {
      f.i32(0).atomic("i64.atomic.load", board.state).tee(state).op("i32.wrap_i64").i32(255).op("i32.and");
      f.tee(part);
      f.get(state).i64(8n).op("i64.shr_u").op("i32.wrap_i64").i32(255).op("i32.and");
      f.op("i32.lt_u");
      f.if(() => {
        // What the task is must be known before the part is taken: from then on a next task may be published.
        f.i32(0).atomic("i32.atomic.load", board.task).set(task);
        f.i32(0).get(state).get(state).i64(1n).op("i64.add");
        f.atomic("i64.atomic.rmw.cmpxchg", board.state).get(state).op("i64.eq");
        f.if(() => {
          f.get(task).get(part).call(perform);
          f.i32(0).i32(1).atomic("i32.atomic.rmw.add", board.done).drop();
          f.get(count).i32(1).op("i32.add").set(count);
        });
        f.branch(again);
      });
    });
    f.get(count);
  });

  module.define(
    "help",
    [],
    [],
    (f) => {
      const patience = f.local("i32");
      f.i32(0).i32(1).atomic("i32.atomic.rmw.add", board.present).drop();
      f.i32(PATIENCE).set(patience);
      f.loop((again) => {
        f.i32(PATIENCE).get(patience).i32(1).op("i32.sub").call(work).op("select").tee(patience);
        f.branchIf(again);
      });
      f.i32(0).i32(1).atomic("i32.atomic.rmw.sub", board.present).drop();
    },
    { exported: true },
  );

  return module.define("share", ["i32", "i32"], [], (f, [task, parts]) => {
    const missing = f.local("i32");
    const looks = f.local("i32");
    f.i32(0).i32(0).atomic("i32.atomic.store", board.done);
    f.i32(0).get(task!).atomic("i32.atomic.store", board.task);
    f.i32(0);
    f.i32(0).atomic("i64.atomic.load", board.state).i64(16n).op("i64.shr_u").i64(1n).op("i64.add");
    f.i64(16n).op("i64.shl").get(parts!).op("i64.extend_i32_u").i64(8n).op("i64.shl").op("i64.or");
    f.atomic("i64.atomic.store", board.state);
    f.get(parts!).i32(1).op("i32.sub").i32(0).atomic("i32.atomic.load", board.present).op("i32.sub");
    f.tee(missing).i32(0).op("i32.gt_s");
    f.if(() => f.get(missing).call(wake));
    f.call(work).drop();
    f.loop((again) => {
      f.i32(0).atomic("i32.atomic.load", board.question).i32(1).op("i32.eq");
      f.if(() => f.call(answer));
      // Whoever is at a part may be waiting for this very processor.
      f.get(looks).i32(1).op("i32.add").tee(looks).i32(LOOKS).op("i32.and").op("i32.eqz");
      f.if(() => f.call(pause));
      f.i32(0).atomic("i32.atomic.load", board.done).get(parts!).op("i32.ne").branchIf(again);
    });
  });
}

/** Defines the function that does a part of a task, by their numbers. */
function definePerform(module: ModuleBuilder, tasks: readonly FunctionReference[]): FunctionReference {
  return module.define("perform", ["i32", "i32"], [], (f, [task, part]) => {
    // Blocks within each other, the first task's the innermost; behind the end of each stands its call.
    const write = (i: number, ends: readonly Label[]): void => {
      if (i < 0) {
        f.get(task!).branchTable(ends, ends[0]!);
        return;
      }
      f.block((end) => write(i - 1, [end, ...ends]));
      f.get(part!).call(tasks[i]!).return();
    };
    write(tasks.length - 1, []);
  });
}
