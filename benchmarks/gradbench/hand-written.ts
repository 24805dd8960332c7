/** HandWritten: derivatives by hand, in C, compiled by the machine's compiler and run in a process of their own. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Input } from "./problem.ts";

/** Numbers as the C programs read them: sizes, and lists of any nesting one after the other. */
interface Layout {
  readonly sizes: readonly unknown[];
  readonly parts: readonly unknown[];
}

type Fields = Readonly<Record<string, unknown>>;

const lengthOf = (x: unknown) => (x as readonly unknown[]).length;

/** How the inputs of each problem that is there are laid out, as the first line of its file says. */
const layouts: Readonly<Record<string, (input: Fields) => Layout>> = {
  llsq: ({ x, n }) => ({ sizes: [lengthOf(x), n], parts: [x] }),
  lse: ({ x }) => ({ sizes: [lengthOf(x)], parts: [x] }),
  det: ({ A, ell }) => ({ sizes: [ell], parts: [A] }),
  ode: ({ x, s }) => ({ sizes: [lengthOf(x), s], parts: [x] }),
  kmeans: ({ points, centroids }) => ({
    sizes: [lengthOf(points), lengthOf(centroids), lengthOf((points as unknown[])[0])],
    parts: [points, centroids],
  }),
  gmm: ({ d, k, n, m, alpha, mu, q, l, x, gamma }) => ({
    sizes: [d, k, n, m],
    parts: [alpha, mu, q, l, x, gamma],
  }),
};

/** What a program answers: nanoseconds of each run, and the outputs in a row. */
export interface Run {
  readonly nanoseconds: readonly number[];
  readonly output: Float64Array;
}

/** The programs that were compiled; disposing of it removes them. */
export class HandWritten {
  readonly #folder = mkdtempSync(join(tmpdir(), "adjoint-gradbench-"));
  readonly #compiler: string;
  readonly #programs = new Map<string, string | null>();

  constructor(compiler = process.env["CC"] ?? "cc") {
    this.#compiler = compiler;
  }

  /** Whether a module is there by hand, and the machine compiles it. */
  has(module: string): boolean {
    return Object.hasOwn(layouts, module) && this.#program(module) !== null;
  }

  /** Runs a function of a module on an input, so often and so long at least. */
  run(module: string, name: string, input: Input, { seconds = 0, runs = 1 } = {}): Run {
    const layout = layouts[module]?.(input as Fields);
    const program = this.#program(module);
    if (layout === undefined || program === null) throw new Error(`${module} is not there by hand`);
    const numbers = Float64Array.from(layout.parts.flat(3) as number[]);
    const head = BigInt64Array.from([layout.sizes.length, ...layout.sizes, numbers.length], (n) =>
      BigInt(n as number),
    );
    const { status, stdout, stderr } = spawnSync(program, [name, `${seconds}`, `${runs}`], {
      input: Buffer.concat([bytesOf(head), bytesOf(numbers)]),
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(`${module} ${name} by hand: ${stderr}`);
    const data = new DataView(stdout.buffer, stdout.byteOffset);
    const whole = (at: number) => Number(data.getBigInt64(8 * at, true));
    const count = whole(0);
    const outputs = whole(count + 1);
    return {
      nanoseconds: Array.from({ length: count }, (_, i) => whole(i + 1)),
      output: Float64Array.from({ length: outputs }, (_, i) => data.getFloat64(8 * (count + 2 + i), true)),
    };
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The program of a module; null where it cannot be compiled. */
  #program(module: string): string | null {
    let program = this.#programs.get(module);
    if (program === undefined) {
      program = join(this.#folder, module);
      const source = (name: string) => fileURLToPath(new URL(`hand-written/${name}.c`, import.meta.url));
      const sources = [source("run"), source(module)];
      spawnSync(this.#compiler, ["-std=c99", "-O3", "-march=native", "-o", program, ...sources, "-lm"]);
      if (!existsSync(program)) program = null;
      this.#programs.set(module, program);
    }
    return program;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: BigInt64Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
