/** The library that tests are held to. */

import { spawnSync } from "node:child_process";
import { type DenseRoutines, useDense } from "@adjoint/core/operations";
import { afterAll, beforeAll, expect } from "vitest";
import { routinesOf } from "../../src/dense/routines.ts";
import { LEAST } from "../../src/dense/use.ts";
import { findLibrary } from "../../src/system/blas.ts";

/** The machine's library; null where there is none. */
export const library = findLibrary(null);

// Where OpenBLAS is installed, a test that did without it would have tested nothing.
const { stdout } = spawnSync("sh", ["-c", "ldconfig -p"], { encoding: "utf8" });
if (library === null && String(stdout).includes("libopenblas.so.0"))
  throw new Error("OpenBLAS is installed, and was not found.");

/** Lets the library do what the tests of this file do, however small, and expects that it is asked and does it. */
export function throughLibrary(...wanted: readonly (keyof DenseRoutines)[]): void {
  if (library === null) return;
  const done = new Set<string>();
  const all = Object.fromEntries(Object.keys(LEAST).map((name) => [name, 2])) as unknown as typeof LEAST;
  const routines = Object.entries(routinesOf(library, null, all)).map(([name, routine]) => [
    name,
    (...args: unknown[]) => {
      const result = (routine as (...args: unknown[]) => unknown)(...args);
      if (result) done.add(name);
      return result;
    },
  ]);
  let before: DenseRoutines;
  beforeAll(() => {
    before = useDense(Object.fromEntries(routines));
  });
  afterAll(() => {
    useDense(before);
    expect([...done]).toEqual(expect.arrayContaining([...wanted]));
  });
}
