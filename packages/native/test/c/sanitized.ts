/** Programs of the C target as one executable, in which the compiler's sanitizers look at every access to memory. */

import { Buffer as Bytes } from "node:buffer";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Storage } from "@adjoint/compiler";
import { ARRAYS, type Buffer, bytesOf, type Plan } from "@adjoint/compiler/targets";
import type { TypedArray } from "@adjoint/core";
import { HEADER, POINTERS, programOf, readBeyondEnds } from "../../src/c/program.ts";
import { type Compiler, flagsOf } from "../../src/system/compiler.ts";

/** A program in C, and what its memory is when it begins. */
export interface Prepared {
  readonly source: string;
  /** Bytes of the memory that is not a buffer's. */
  readonly bytes: number;
  readonly memory: readonly {
    readonly buffer: Buffer;
    readonly begun: TypedArray;
    readonly margin: number;
  }[];
}

/** Some of what products read may be read beyond the end, as far as a tile's row of vectors goes. */
const MARGIN = 256;

/**
 * Prints a plan whose buffers hold some numbers; null where not all of it is C. Every buffer is in memory of its own:
 * where the end of one is another's beginning, nobody sees who reads on.
 */
export function prepared(
  plan: Plan,
  numbers: ReadonlyMap<Buffer, Storage>,
  features: Compiler["features"],
): Prepared | null {
  const buffers = plan.lifetimes.map(({ buffer }) => buffer);
  const { source, segments, bytes } = programOf(plan, features, buffers);
  const native = segments.all.reduce((sum, { steps }) => sum + steps.length, 0);
  if (segments.all.length !== 1 || native !== plan.steps.length) return null;
  const constants = new Map(plan.constants.map(({ buffer, data }) => [buffer, data]));
  const read = readBeyondEnds(plan, features, 1);
  const memory = buffers.map((buffer) => {
    const begun = garbage(buffer);
    const constant = constants.get(buffer);
    if (typeof constant === "number") begun.fill(constant);
    const data = numbers.get(buffer) ?? constant;
    if (typeof data === "number") begun[0] = data;
    else if (data !== undefined) begun.set(data);
    return { buffer, begun, margin: read.has(buffer) ? MARGIN : 0 };
  });
  return { source, bytes, memory };
}

/** Numbers that nobody would take for results: all bits are 1. */
function garbage({ dtype, size }: Buffer): TypedArray {
  return new ARRAYS[dtype](new Uint8Array(size * bytesOf(dtype)).fill(255).buffer);
}

const SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0", "-g1"];

/** What programs leave in memory that begins as it does in them, or as is said. */
export type Executed = (memories?: readonly Prepared["memory"][]) => Promise<Map<Buffer, TypedArray>[]>;

/** Compiles programs to one executable in a folder, in so many processes. */
export async function sanitized(
  programs: readonly Prepared[],
  compiler: Compiler,
  folder: string,
  processes: number,
): Promise<Executed> {
  const [command, ...first] = compiler.command as [string, ...string[]];
  const flags = [...first, ...flagsOf(compiler, "").filter((flag) => flag !== "-shared"), ...SANITIZED];
  const execute = (program: string, args: readonly string[]) =>
    promisify(execFile)(program, args, { cwd: folder });
  programs.forEach(({ source }, i) => {
    // What sanitizers do not look at, loads by a mask, stands beside a way without it.
    const plain = source.replace("HAS_BUILTIN(name) __has_builtin(name)", "HAS_BUILTIN(name) 0");
    writeFileSync(join(folder, `program${i}.c`), `#define segment0 program${i}\n${plain}`);
  });
  writeFileSync(join(folder, "main.c"), mainOf(programs.length));
  const names = ["main", ...[...programs.keys()].map((i) => `program${i}`)];
  const lists = Array.from({ length: processes }, (_, k) => names.filter((_, i) => i % processes === k));
  await Promise.all(
    lists
      .filter((list) => list.length > 0)
      .map((list) => execute(command, [...flags, "-c", ...list.map((name) => `${name}.c`)])),
  );
  await execute(command, [...flags, ...names.map((name) => `${name}.o`), "-lm", "-o", "main"]);
  return async (memories = programs.map(({ memory }) => memory)) => {
    const begun = programs.flatMap(({ bytes }, i) => begunIn(bytes, memories[i] as Prepared["memory"]));
    writeFileSync(join(folder, "begun"), Bytes.concat(begun));
    await execute(join(folder, "main"), ["begun", "left"]);
    return leftIn(readFileSync(join(folder, "left")), memories);
  };
}

const asBytes = (x: TypedArray | BigInt64Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

/** A program's memory, as the executable reads it. */
function begunIn(bytes: number, memory: Prepared["memory"]): Uint8Array[] {
  const sizes = memory.flatMap(({ begun, margin }) => [begun.byteLength, margin]);
  const head = BigInt64Array.from([bytes, memory.length, ...sizes].map(BigInt));
  return [asBytes(head), ...memory.map(({ begun }) => asBytes(begun))];
}

/** All memory of all programs, as the executable has written it. */
function leftIn(left: Uint8Array, memories: readonly Prepared["memory"][]): Map<Buffer, TypedArray>[] {
  let at = 0;
  return memories.map(
    (memory) =>
      new Map(
        memory.map(({ buffer, begun }) => {
          const array = begun.slice();
          asBytes(array).set(left.subarray(at, at + array.byteLength));
          at += array.byteLength;
          return [buffer, array] as const;
        }),
      ),
  );
}

/** A program that gives each of some programs the memory that a file says, and writes what they leave into another. */
function mainOf(count: number): string {
  const names = Array.from({ length: count }, (_, i) => `program${i}`);
  return `#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

${names.map((name) => `int ${name}(char *m);`).join("\n")}
static int (*const programs[])(char *) = {${names.join(", ")}};

static void take(void *to, size_t bytes, FILE *file) {
  if (fread(to, 1, bytes, file) != bytes) abort();
}

int main(int argc, char **argv) {
  if (argc != 3) return 1;
  FILE *const begun = fopen(argv[1], "rb"), *const left = fopen(argv[2], "wb");
  if (begun == NULL || left == NULL) return 1;
  for (size_t p = 0; p < sizeof programs / sizeof programs[0]; p++) {
    int64_t head[2];
    take(head, sizeof head, begun);
    const size_t bytes = head[0], count = head[1];
    void *memory;
    if (posix_memalign(&memory, 64, bytes) != 0) return 1;
    char *const m = memory;
    memset(m, 255, bytes);
    memset(m, 0, ${POINTERS});
    const int64_t most = INT64_MAX;
    memcpy(m + ${HEADER.stackLeft}, &most, sizeof most);
    int64_t *const sizes = malloc(count * 2 * sizeof *sizes);
    take(sizes, count * 2 * sizeof *sizes, begun);
    char **const buffers = (char **)(m + ${POINTERS});
    for (size_t i = 0; i < count; i++) {
      buffers[i] = malloc(sizes[2 * i] + sizes[2 * i + 1]);
      take(buffers[i], sizes[2 * i], begun);
      memset(buffers[i] + sizes[2 * i], 255, sizes[2 * i + 1]);
    }
    if (programs[p](m) != 0) return 1;
    for (size_t i = 0; i < count; i++) {
      fwrite(buffers[i], 1, sizes[2 * i], left);
      free(buffers[i]);
    }
    free(sizes);
    free(m);
  }
  fclose(begun);
  return fclose(left);
}
`;
}
