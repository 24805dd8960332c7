/** Workers: the threads that help programs with their steps, started when the first program wants them. */

import type { WasmMemory } from "./engine.ts";
import { board, MOST_PARTS } from "./threads.ts";

/** What all workers look at: how often one was called, which program calls, and for each how many messages it was sent. */
const [CALLS, ACTIVE, MESSAGES] = [0, 1, 2];

/** The most workers that there can be. */
const MOST_WORKERS = MOST_PARTS - 1;

/**
 * What a worker runs, in Node and in browsers. A page whose policy allows no scripts from `blob:` serves this text itself and
 * names its place with `setWorkerUrl`.
 *
 * A worker knows programs by their numbers, helps the one that asked last, and sleeps until one asks again. Functions of
 * numbers that JavaScript lacks are asked of the thread that runs the program.
 */
export const workerScript = `
const port = typeof self !== "undefined" && self.postMessage ? self : require("node:worker_threads").parentPort;
const programs = new Map();
let control, own;
let handled = 0;
port.onmessage = ({ data }) => {
  if (data.end) return port.close();
  if (data.control) [control, own] = [data.control, data.own];
  else {
    handled++;
    if (data.module) programs.set(data.id, instance(data));
    else programs.delete(data.id);
  }
  for (;;) {
    const calls = Atomics.load(control, ${CALLS});
    if (Atomics.load(control, own) !== handled) return;
    programs.get(Atomics.load(control, ${ACTIVE}))?.exports.help();
    Atomics.wait(control, ${CALLS}, calls);
  }
};
function instance({ module, memory, natives }) {
  const words = new Int32Array(memory.buffer);
  const numbers = new Float64Array(memory.buffer, ${board.numbers}, 8);
  const [QUESTION, ASKING, WANTED, COUNT] = [${board.question / 4}, ${board.asking / 4}, ${board.wanted / 4}, ${board.count / 4}];
  const asked = (wanted) => (...xs) => {
    while (Atomics.compareExchange(words, ASKING, 0, 1) !== 0);
    words[WANTED] = wanted;
    words[COUNT] = xs.length;
    numbers.set(xs);
    Atomics.store(words, QUESTION, 1);
    while (Atomics.load(words, QUESTION) !== 2);
    const answer = numbers[0];
    Atomics.store(words, QUESTION, 0);
    Atomics.store(words, ASKING, 0);
    return answer;
  };
  const imports = { program: { memory }, core: {}, threads: {}, functions: {} };
  const wanted = WebAssembly.Module.imports(module).filter((entry) => entry.kind === "function");
  wanted.filter((entry) => entry.module === "functions").forEach(({ name }, i) => {
    imports.functions[name] = natives[i] === null ? asked(i) : Math[natives[i]];
  });
  // What only the thread that runs the program does.
  for (const { module, name } of wanted) imports[module][name] ??= () => {};
  return new WebAssembly.Instance(module, imports);
}
`;

let workerUrl: string | null = null;

/** Says where a page serves `workerScript`, before the first compiled function is called. */
export function setWorkerUrl(url: string): void {
  workerUrl = url;
}

/** A program that has workers, as the thread that runs it sees them. */
export interface Membership {
  /** Asks workers that sleep to help. */
  wake(count: number): void;
  /** Answers what a worker asks. */
  answer(): void;
  /** Lets others have the processor for a moment, where a thread may wait. */
  pause(): void;
  /** Workers forget the program. */
  leave(): void;
}

/** How many threads the machine has for a program, this one included; no more than eight. */
export function machineThreads(): number {
  const own = platform.navigator?.hardwareConcurrency;
  return Math.min(8, own ?? builtin("node:os")?.availableParallelism() ?? 1);
}

/** Lets workers help with a program. There may be none: then the thread that runs it does all of its work. */
export function join(
  threads: number,
  module: object,
  memory: WasmMemory,
  functions: readonly ((...xs: number[]) => number)[],
): Membership {
  team ??= new Team();
  const { buffer } = memory;
  const natives = functions.map((f) => MATH.find((name) => Math[name as "sin"] === f) ?? null);
  const program: Shared = { module, memory, natives, bytes: buffer.byteLength };
  const id = team.add(threads - 1, program);
  const words = new Int32Array(buffer as SharedArrayBuffer, 0, board.end / 4);
  const numbers = new Float64Array(buffer as SharedArrayBuffer, board.numbers, 8);
  return {
    wake: (count) => team?.wake(id, count),
    answer: () => {
      const xs = numbers.slice(0, words[board.count / 4]);
      const wanted = functions[words[board.wanted / 4] as number] as (...xs: number[]) => number;
      numbers[0] = wanted(...xs);
      Atomics.store(words, board.question / 4, 2);
    },
    pause,
    leave: () => team?.remove(id, program.bytes),
  };
}

/** What to wait by for a moment: nobody changes it or tells of it. Null where a thread may not wait, a page's first one. */
let quiet: Int32Array | null | undefined;

function pause(): void {
  if (quiet === null) return;
  try {
    quiet ??= new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(quiet, 0, 0, 0.05);
  } catch {
    quiet = null;
  }
}

/** What workers are told of a program. Its own membership keeps it; the team does not. */
interface Shared {
  readonly module: object;
  readonly memory: WasmMemory;
  /** For each function of numbers that the module imports, which one of JavaScript's it is, if any. */
  readonly natives: readonly (string | null)[];
  readonly bytes: number;
}

const MATH = Object.getOwnPropertyNames(Math);

/** Bytes of memory of programs that are gone after which workers are replaced: engines are slow to collect it in them. */
const MOST_FORGOTTEN = 2 ** 26;

let team: Team | undefined;

class Team {
  #control = newControl();
  #workers: Port[] = [];
  #programs = new Map<number, WeakRef<Shared>>();
  #last = 0;
  #forgotten = 0;

  /** Tells all workers of a program, and that there be so many; returns its number. */
  add(workers: number, program: Shared): number {
    const id = ++this.#last;
    this.#programs.set(id, new WeakRef(program));
    this.#tell(this.#workers, { id, ...program });
    this.#grow(workers);
    return id;
  }

  wake(id: number, count: number): void {
    Atomics.store(this.#control, ACTIVE, id);
    Atomics.add(this.#control, CALLS, 1);
    Atomics.notify(this.#control, CALLS, count);
  }

  remove(id: number, bytes: number): void {
    if (!this.#programs.delete(id)) return;
    this.#tell(this.#workers, { id });
    this.#forgotten += bytes;
    if (this.#forgotten > MOST_FORGOTTEN) this.#replace();
  }

  /** Starts workers until there are so many. */
  #grow(count: number): void {
    while (this.#workers.length < Math.min(count, MOST_WORKERS)) {
      const worker = startWorker();
      if (worker === null) return;
      worker.postMessage({ control: this.#control, own: MESSAGES + this.#workers.length });
      this.#workers.push(worker);
      for (const [id, program] of this.#programs) this.#tell([worker], { id, ...program.deref() });
    }
  }

  /** Workers end when they have left the program that they are at. */
  #replace(): void {
    const old = this.#workers;
    this.#tell(old, { end: true });
    this.#control = newControl();
    this.#workers = [];
    this.#forgotten = 0;
    this.#grow(old.length);
  }

  #tell(workers: readonly Port[], message: object): void {
    for (const worker of workers) {
      worker.postMessage(message);
      Atomics.add(this.#control, MESSAGES + this.#workers.indexOf(worker), 1);
    }
    Atomics.add(this.#control, CALLS, 1);
    Atomics.notify(this.#control, CALLS);
  }
}

function newControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (MESSAGES + MOST_WORKERS)));
}

/** A worker of any platform. */
interface Port {
  postMessage(message: unknown): void;
}

/** A worker; null where none may be had. One that does not come to life is like one that sleeps. */
function startWorker(): Port | null {
  try {
    const threads = builtin("node:worker_threads");
    if (threads !== undefined) {
      // Node's flags are for the main thread's modules, which a worker has none of.
      const worker = new threads.Worker(workerScript, { eval: true, execArgv: [], name: "adjoint" });
      worker.on("error", () => {});
      worker.unref();
      return worker;
    }
    const { Worker, Blob, URL } = platform;
    if (Worker === undefined) return null;
    const url = workerUrl ?? URL.createObjectURL(new Blob([workerScript], { type: "text/javascript" }));
    const worker = new Worker(url, { name: "adjoint" });
    worker.onerror = (event) => event.preventDefault();
    return worker;
  } catch {
    return null;
  }
}

/** What of Node and of browsers is used here, where it is. */
interface Platform {
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  readonly Worker?: new (
    url: string,
    options: { readonly name: string },
  ) => Port & { onerror: (event: { preventDefault(): void }) => void };
  readonly Blob: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string };
}

interface Builtins {
  readonly "node:os": { availableParallelism(): number };
  readonly "node:worker_threads": {
    readonly Worker: new (
      script: string,
      options: { readonly eval: true; readonly execArgv: readonly string[]; readonly name: string },
    ) => Port & { on(event: "error", listener: () => void): void; unref(): void };
  };
}

const platform = globalThis as unknown as Platform;

/** A module of Node's, where there is Node. */
function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return platform.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}
