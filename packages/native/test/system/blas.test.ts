import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lu, matmul, type Value, value } from "@adjoint/core";
import { useDense } from "@adjoint/core/operations";
import { afterAll, describe, expect, test } from "vitest";
import { routinesOf } from "../../src/dense/routines.ts";
import { LEAST } from "../../src/dense/use.ts";
import { findBlas, findLibrary } from "../../src/system/blas.ts";
import { findCompiler } from "../../src/system/compiler.ts";

/** As much of BLAS and LAPACK as it takes to see how it is called. */
const SOURCE = `
#include <math.h>
#include <stdint.h>
#include <stddef.h>

void NAME(dcopy)(const WORD *n, const double *x, const WORD *dx, double *y, const WORD *dy) {
  for (WORD i = 0; i < *n; i++) y[i * *dy] = x[i * *dx];
}

void NAME(dgemm)(const char *ta, const char *tb, const WORD *m, const WORD *n, const WORD *k, const double *alpha,
                 const double *a, const WORD *lda, const double *b, const WORD *ldb, const double *beta, double *c,
                 const WORD *ldc, size_t la, size_t lb) {
  for (WORD i = 0; i < *m; i++)
    for (WORD j = 0; j < *n; j++) {
      double sum = la == 1 && lb == 1 ? 0 : NAN;
      for (WORD l = 0; l < *k; l++)
        sum += (*ta == 'T' ? a[l + i * *lda] : a[i + l * *lda]) * (*tb == 'T' ? b[j + l * *ldb] : b[l + j * *ldb]);
      c[i + j * *ldc] = *alpha * sum + *beta;
    }
}

/* Elimination of 2 x 2. */
void NAME(dgetrf)(const WORD *m, const WORD *n, double *a, const WORD *lda, WORD *pivots, WORD *info) {
  pivots[0] = fabs(a[1]) > fabs(a[0]) ? 2 : 1;
  pivots[1] = 2;
  for (WORD j = 0; j < 2 && pivots[0] == 2; j++) {
    double x = a[j * *lda];
    a[j * *lda] = a[1 + j * *lda];
    a[1 + j * *lda] = x;
  }
  a[1] /= a[0];
  a[1 + *lda] -= a[1] * a[*lda];
  *info = 0;
}

void cblas_sgemm(void) {}
void cblas_dgemm(void) {}
`;

const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [compiler] = findCompiler(undefined, 60_000).command as [string];

/** A library whose names end so, with whole numbers of so many bits. */
function make(ending: string, bits: number): string {
  const path = join(folder, `library${ending}${bits}.so`);
  writeFileSync(join(folder, "library.c"), SOURCE);
  const flags = [`-DWORD=int${bits}_t`, `-DNAME(x)=x${ending && `##${ending}`}`, "-shared", "-fPIC", "-O1"];
  execFileSync(compiler, [...flags, "library.c", "-o", path], { cwd: folder });
  return path;
}

describe.each([
  ["_", 32],
  ["_", 64],
  ["_64_", 64],
  ["", 32],
] as const)("a library whose names end with %j, of %i bits", (ending, bits) => {
  const path = make(ending, bits);

  test("is found, and its whole numbers are known", () => {
    const found = findLibrary(path);
    expect(found?.wordBytes).toBe(bits / 8);
    expect(found?.ownThreads).toBeNull();
    expect(found?.description).toBe("BLAS");
    // C calls it with 32 bits.
    expect(findBlas(path, 1)?.path).toBe(bits === 32 ? path : undefined);
  });

  test("does what it has, and core the rest", () => {
    const found = findLibrary(path);
    if (found === null) throw new Error("not found");
    const routines = routinesOf(found, 1, { ...LEAST, product: 1, lu: 2 });
    expect(Object.keys(routines)).toEqual(["product", "lu"]);
    const before = useDense(routines);
    try {
      const a = value([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(matmul(a, a, { transposeB: true }).toArray()).toEqual([
        [14, 32],
        [32, 77],
      ]);
      expect(matmul(a, a, { transposeA: true }).toArray()).toEqual([
        [17, 22, 27],
        [22, 29, 36],
        [27, 36, 45],
      ]);
      expect(matmul(a, [1, 1, 1]).toArray()).toEqual([6, 15]);
      const { permutation, l, u } = lu(
        value([
          [1, 2],
          [4, 4],
        ]),
      ) as Record<string, Value>;
      expect([permutation, l, u].map((x) => x?.toArray())).toEqual([
        [1, 0],
        [
          [1, 0],
          [0.25, 1],
        ],
        [
          [4, 4],
          [0, 1],
        ],
      ]);
    } finally {
      useDense(before);
    }
  });
});

test("what is no library, or none of BLAS, is not found", () => {
  const path = join(folder, "other.so");
  writeFileSync(join(folder, "other.c"), "int other(void) { return 1; }");
  execFileSync(compiler, ["-shared", "-fPIC", "other.c", "-o", path], { cwd: folder });
  expect(findLibrary(path)).toBeNull();
  expect(findLibrary("/nowhere/libblas.so")).toBeNull();
});
