import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findCompiler } from "../../src/system/compiler.ts";
import { useLibrary } from "../../src/system/library.ts";
import { sharing } from "../../src/system/threads.ts";

const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Each round is a task, whose parts count in places of their own; the thread waits now and then, so that workers go to sleep.
const COUNTING = `
#include <stddef.h>
#include <stdint.h>
#include <time.h>
typedef void (*part_t)(char *, ptrdiff_t);
static void count(char *m, ptrdiff_t part) { ((int32_t *)m)[16 * part]++; }
__attribute__((visibility("default"))) int rounds(void *share, char *m, int parts, int n) {
  const struct timespec moment = {0, 300000};
  for (int i = 0; i < n; i++) {
    ((void (*)(part_t, char *, int))share)(count, m, parts);
    for (int part = 0; part < parts; part++) if (((int32_t *)m)[16 * part] != i + 1) return i + 1;
    if (i % 1000 == 0) nanosleep(&moment, NULL);
  }
  return 0;
}`;

const compiler = findCompiler(undefined, 60_000);
const rounds = useLibrary(COUNTING, compiler, folder, (library) =>
  library.func("rounds", "int", ["uint64_t", "void *", "int", "int"]),
);

/** Counts in memory of its own, on a thread of its own; 0, or the round after which a part had not been done once more. */
function countOnAThread(share: bigint, parts: number, n: number): Promise<number> {
  const memory = new Int32Array(16 * parts);
  return new Promise((resolve, reject) => {
    rounds.async(share, memory, parts, n, (error: Error | null, wrong: number) => {
      if (error !== null) reject(error);
      else resolve(wrong);
    });
  });
}

describe.skipIf(process.platform === "win32")("the workers of programs", () => {
  const share = sharing(4, compiler, folder) ?? 0n;

  test("are the same for all, and none for one thread", () => {
    expect(share).not.toBe(0n);
    expect(sharing(2, compiler, undefined)).toBe(share);
    expect(sharing(1, compiler, folder)).toBeNull();
  });

  test("do each part once, and all of them before the task is over", () => {
    for (const parts of [1, 2, 4, 64])
      expect(rounds(share, new Int32Array(16 * parts), parts, 20_000)).toBe(0);
  });

  test("serve several threads at once", async () => {
    const wrong = await Promise.all([2, 3, 4, 7].map((parts) => countOnAThread(share, parts, 20_000)));
    expect(wrong).toEqual([0, 0, 0, 0]);
  });
});
