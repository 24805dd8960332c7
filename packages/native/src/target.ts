/** The C target: one shared library and one memory a program. */

import { Buffer as NodeBuffer } from "node:buffer";
import { totalmem } from "node:os";
import type { Executable, Program, Storage, Target } from "@adjoint/compiler";
import {
  ARRAYS,
  allSteps,
  type Buffer,
  bytesOf,
  drive,
  interpretKernel,
  type Machine,
  machineThreads,
  type Plan,
  planOf,
  printSteps,
  readStorage,
  type Step,
  writeStorage,
} from "@adjoint/compiler/targets";
import type { TypedArray, Value } from "@adjoint/core";
import { checkOptions, type OptionNames, typeOf } from "@adjoint/core/operations";
import koffi from "koffi";
import { type CProgram, HEADER, POINTERS, programOf, readBeyondEnds, segmentName } from "./c/program.ts";
import { unknownIn } from "./c/segments.ts";
import { MemoryError } from "./errors.ts";
import { type Blas, findBlas } from "./system/blas.ts";
import { type Compiler, findCompiler } from "./system/compiler.ts";
import { useLibrary } from "./system/library.ts";
import { preferLargePages } from "./system/memory.ts";
import { sharing } from "./system/threads.ts";

/** Options of `cTarget`. */
export interface CTargetOptions {
  /** The compiler's program, with arguments if you like; the environment's CC, else cc, gcc or clang. */
  readonly compiler?: string;
  /** How long it may take, in milliseconds; 60 000 by default. */
  readonly timeLimit?: number;
  /** Where compiled programs are kept; the user's cache folder by default. */
  readonly cacheFolder?: string;
  /** A BLAS library with cblas_sgemm and cblas_dgemm: its path, or whether one is looked for; true by default. */
  readonly blas?: boolean | string;
  /**
   * How many threads loops and products may use where `compile` does not say: by default as many as the machine has, at
   * most 8. The same number gives the same results. 1 starts no worker.
   */
  readonly threads?: number;
  /** How many bytes a program may take for the records of its loops; half of the machine's memory by default. */
  readonly stackLimit?: number;
}

const OPTIONS: OptionNames<CTargetOptions> = {
  compiler: true,
  timeLimit: true,
  cacheFolder: true,
  blas: true,
  threads: true,
  stackLimit: true,
};

/**
 * A target that compiles programs with the machine's C compiler, as options say.
 *
 * Its `prepare` throws a CompilerError where there is no compiler, or it fails, takes too long or writes something else
 * than a library.
 */
export function cTarget(given: CTargetOptions = {}): Target {
  const options = checkOptions("cTarget", given, OPTIONS);
  return {
    name: "c",
    prepare: (program, { threads = options.threads ?? machineThreads(), reuseResults = false } = {}) =>
      new CExecutable(program, { ...options, threads: Math.min(threads, MOST_THREADS) }, reuseResults),
  };
}

/**
 * Compiles programs with the machine's C compiler. `compile(f, { target: "c" })` takes it by name.
 *
 * @example
 * import { compile } from "@adjoint/compiler";
 * const f = compile((x) => x.mul(x).sum(), { target: c });
 * f(value([1, 2, 3])) // 14
 */
export const c: Target = cTarget();

/** The most threads that share a program. */
const MOST_THREADS = 64;

type Entry = (memory: bigint) => number;

/** A result's place, and whether it is a number. */
interface Result {
  readonly buffer: Buffer;
  readonly isScalar: boolean;
}

class CExecutable implements Executable, Machine {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #c: CProgram;
  readonly #compiler: Compiler;
  readonly #blas: Blas | null;
  /** How many threads may share its work; 1 where no part of it is worth that. */
  readonly #threads: number;
  readonly #memory: ArrayBuffer;
  /** Where the program's memory begins: in the buffer, and on the machine. */
  readonly #start: number;
  readonly #address: bigint;
  #entries: readonly Entry[];
  readonly #views = new Map<Buffer, TypedArray>();
  readonly #arguments: readonly (Buffer | null)[];
  readonly #results: readonly Result[];
  /** Where the addresses of arrays are that are used where they lie. */
  readonly #pointers: ReadonlyMap<Buffer, number>;
  readonly #header: DataView;
  /** Whether all is one call of C. */
  readonly #whole: boolean;
  /** The arrays of the last run's results, where they are written over. */
  readonly #last: (TypedArray | undefined)[] | null;

  constructor(
    program: Program,
    options: CTargetOptions & { readonly threads: number },
    reuseResults: boolean,
  ) {
    const { blas = true, threads, cacheFolder } = options;
    this.#program = program;
    this.#last = reuseResults ? [] : null;
    this.#plan = planOf(program, threads);
    this.#compiler = findCompiler(options.compiler, options.timeLimit ?? 60_000);
    const { features } = this.#compiler;
    const outside = outsideOf(this.#plan, program, readBeyondEnds(this.#plan, features, threads));
    this.#pointers = new Map(outside.map((buffer, i) => [buffer, POINTERS + 8 * i]));
    this.#c = programOf(this.#plan, features, outside, threads);
    this.#entries = load(this.#c, this.#compiler, cacheFolder);
    this.#whole =
      this.#plan.steps.length > 0 && this.#c.segments.all[0]?.steps.length === this.#plan.steps.length;
    this.#memory = allocate(this.#c.bytes + ALIGNMENT);
    const address = koffi.address(this.#memory);
    preferLargePages(address, this.#memory.byteLength);
    this.#start = Number(-address & BigInt(ALIGNMENT - 1));
    this.#address = address + BigInt(this.#start);
    const uses = this.#c.source.includes("sgemm != NULL") || this.#c.source.includes("dgemm != NULL");
    this.#blas = uses && blas !== false ? findBlas(blas === true ? null : blas, 1) : null;
    const header = new DataView(this.#memory, this.#start);
    this.#header = header;
    header.setBigUint64(HEADER.sgemm, this.#blas?.sgemm ?? 0n, true);
    header.setBigUint64(HEADER.dgemm, this.#blas?.dgemm ?? 0n, true);
    const share = this.#c.isShared ? sharing(threads, this.#compiler, cacheFolder) : null;
    this.#threads = share === null ? 1 : threads;
    header.setBigUint64(HEADER.share, share ?? 0n, true);
    header.setBigInt64(HEADER.stackLeft, BigInt(options.stackLimit ?? Math.floor(totalmem() / 2)), true);
    for (const { buffer, data } of this.#plan.constants) {
      if (typeof data === "number") this.arrayOf(buffer).fill(data);
      else this.arrayOf(buffer).set(data);
    }
    this.#arguments = this.#plan.inputs.slice(0, program.arguments);
    this.#results = this.#plan.outputs.slice(0, program.results).map((buffer, i) => ({
      buffer,
      isScalar: (program.graph.outputs[i] as Value).rank === 0,
    }));
  }

  run(args: readonly Storage[]): Storage[] {
    for (let i = 0; i < this.#arguments.length; i++) {
      const buffer = this.#arguments[i] as Buffer | null;
      if (buffer === null) continue;
      if (this.#pointers.has(buffer)) this.#useOutside(buffer, args[i] as TypedArray);
      else writeStorage(this.arrayOf(buffer), args[i] as Storage);
    }
    for (let i = 0; i < this.#results.length; i++) {
      const { buffer } = this.#results[i] as Result;
      if (this.#pointers.has(buffer)) this.#useOutside(buffer, this.#resultArray(i, args));
    }
    if (this.#whole) this.#call(0);
    else drive(this.#plan.steps, this);
    const results: Storage[] = [];
    for (let i = 0; i < this.#results.length; i++) {
      const { buffer, isScalar } = this.#results[i] as Result;
      const view = this.arrayOf(buffer);
      if (isScalar) results.push(view[0] as number);
      else if (this.#pointers.has(buffer)) results.push(view);
      else if (this.#last === null) results.push(view.slice());
      else {
        const array = this.#resultArray(i, []);
        array.set(view);
        results.push(array);
      }
    }
    // Arrays of others are not kept alive.
    for (const buffer of this.#pointers.keys()) this.#views.delete(buffer);
    return results;
  }

  /** An array for a result: that of the last run where it may be written over, and no argument lies there. */
  #resultArray(i: number, args: readonly Storage[]): TypedArray {
    const { buffer } = this.#results[i] as Result;
    const last = this.#last?.[i];
    const isRead = args.some((x) => typeof x !== "number" && x.buffer === last?.buffer);
    if (last !== undefined && !isRead) return last;
    const array = newArray(buffer);
    if (this.#last !== null) this.#last[i] = array;
    return array;
  }

  writeState(index: number, data: Storage): void {
    writeStorage(this.arrayOf(this.#stateBuffer(index)), data);
  }

  readState(index: number): Storage {
    const input = this.#program.graph.inputs[this.#program.arguments + index] as Value;
    return readStorage(this.arrayOf(this.#stateBuffer(index)), typeOf(input));
  }

  readKept(index: number): Storage {
    const at = this.#program.results + this.#program.updates.length + index;
    const output = this.#program.graph.outputs[at] as Value;
    return readStorage(this.arrayOf(this.#plan.outputs[at] as Buffer), typeOf(output));
  }

  explain(): string {
    const counts = { kernel: 0, product: 0, evaluation: 0 };
    const foreign = new Set<string>();
    for (const step of allSteps(this.#plan.steps)) {
      if (step.kind in counts) counts[step.kind as keyof typeof counts]++;
      if (step.kind === "kernel") for (const name of unknownIn(step.kernel)) foreign.add(name);
    }
    const { command, features } = this.#compiler;
    return [
      `${counts.kernel} kernels, ${counts.product} products, ${counts.evaluation} evaluations by core`,
      `${this.#c.bytes} bytes of memory; ${command.join(" ")}, vectors of ${features.vectorBytes} bytes; products of ${this.#blas?.path ?? "our own"}; ${this.#threads === 1 ? "one thread" : `${this.#threads} threads`}`,
      ...(foreign.size === 0
        ? []
        : [`in JavaScript, for C has none of their functions: ${[...foreign].join(", ")}`]),
      printSteps(this.#plan.steps),
    ].join("\n");
  }

  dispose(): void {
    this.#views.clear();
    this.#entries = [];
  }

  does(step: Step): boolean {
    const segment = this.#c.segments.at.get(step);
    if (segment !== undefined) {
      if (segment !== null) this.#call(segment.index);
      return true;
    }
    if (step.kind !== "kernel") return false;
    interpretKernel(step.kernel, (buffer) => this.arrayOf(buffer));
    return true;
  }

  arrayOf(buffer: Buffer): TypedArray {
    let view = this.#views.get(buffer);
    if (view === undefined) {
      const at = this.#start + (this.#c.offsets.get(buffer) as number);
      view = new ARRAYS[buffer.dtype](this.#memory, at, buffer.size);
      this.#views.set(buffer, view);
    }
    return view;
  }

  /** Lets a buffer be an array that is not in the program's own memory. */
  #useOutside(buffer: Buffer, array: TypedArray): void {
    this.#views.set(buffer, array);
    this.#header.setBigUint64(this.#pointers.get(buffer) as number, koffi.address(array), true);
  }

  #call(segment: number): void {
    if ((this.#entries[segment] as Entry)(this.#address) !== 0) {
      throw new MemoryError({
        where: "c",
        expected: "what a loop keeps for its derivative must find room",
        advice: "Let it take fewer steps or end sooner, or raise stackLimit of cTarget.",
      });
    }
  }

  #stateBuffer(index: number): Buffer {
    return this.#plan.inputs[this.#program.arguments + index] as Buffer;
  }
}

/** Arguments and results of fewer bytes are copied. */
const OUTSIDE_LEAST = 16384;

/**
 * Large arguments and results, which are used where they lie. Not what products may read beyond the end; nor results that are
 * something else too.
 */
function outsideOf(
  { inputs, outputs, constants }: Plan,
  program: Program,
  read: ReadonlySet<Buffer>,
): Buffer[] {
  const isLarge = (buffer: Buffer | null): buffer is Buffer =>
    buffer !== null && buffer.size * bytesOf(buffer.dtype) >= OUTSIDE_LEAST && !read.has(buffer);
  const results = outputs.slice(0, program.results);
  const others = new Set([
    ...inputs,
    ...outputs.slice(program.results),
    ...constants.map(({ buffer }) => buffer),
  ]);
  const own = results.filter(
    (buffer, i) => isLarge(buffer) && !others.has(buffer) && results.indexOf(buffer) === i,
  );
  const once = own.filter((buffer) => results.lastIndexOf(buffer) === results.indexOf(buffer));
  const isReturned = new Set(outputs);
  const taken = inputs
    .slice(0, program.arguments)
    .filter((buffer): buffer is Buffer => isLarge(buffer) && !isReturned.has(buffer));
  return [...taken, ...once];
}

/** Vectors begin at multiples of it. */
const ALIGNMENT = 64;

function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw new MemoryError({
      where: "c",
      expected: "a program's memory must find room",
      received: `${bytes} bytes`,
      advice: "Take smaller tensors, or a smaller batch.",
    });
  }
}

/** An array that is written over as a whole: what is in it before is not cleared. */
function newArray({ dtype, size }: Buffer): TypedArray {
  const { buffer } = NodeBuffer.allocUnsafeSlow(size * bytesOf(dtype));
  preferLargePages(koffi.address(buffer), buffer.byteLength);
  return new ARRAYS[dtype](buffer as ArrayBuffer);
}

/** The functions of a program's segments. */
function load(
  { source, segments }: CProgram,
  compiler: Compiler,
  folder: string | undefined,
): readonly Entry[] {
  if (segments.all.length === 0) return [];
  return useLibrary(source, compiler, folder, (library) =>
    segments.all.map(({ index }) => library.func(segmentName(index), "int", ["void *"]) as unknown as Entry),
  );
}
