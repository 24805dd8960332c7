/** Products of matrices, and of matrices and vectors, by a library. */

import type { TypedArray } from "@adjoint/core";
import type { DenseRoutines, Matrix } from "@adjoint/core/operations";
import type { Library } from "../system/blas.ts";
import { letter, one, word, zero } from "./fortran.ts";
import type { Run } from "./routines.ts";

/** Core's product by a library's: float64 and float32, of at least so many multiplications. */
export function productOf(library: Library, run: Run, least: number): DenseRoutines {
  const gemms = [library.routine("dgemm", 13, 2), library.routine("sgemm", 13, 2)] as const;
  const gemvs = [library.routine("dgemv", 11, 1), library.routine("sgemv", 11, 1)] as const;
  const product: DenseRoutines["product"] = (n, m, k, a, b, out, start) => {
    const work = n * m * k;
    if (work < least || work === 0) return false;
    const dtype = commonDType(a.data, b.data, out);
    const [left, right] = [byColumns(b, k, m), byColumns(a, n, k)];
    if (dtype === null || left === null || right === null) return false;
    const [gemm, gemv] = dtype === "float64" ? [gemms[0], gemvs[0]] : [gemms[1], gemvs[1]];
    const y = out.subarray(start);
    if (n === 1 || m === 1) {
      if (gemv === null) return false;
      // aᵀ is read the other way.
      const { rows, columns, apart, memory, flipped } =
        n === 1 ? left : { ...right, flipped: !right.flipped };
      const [vector, step] = n === 1 ? [a, a.column] : [b, b.row];
      const x = vector.data.subarray(vector.start);
      run(work, () =>
        gemv(
          ...[letter(flipped ? "T" : "N"), word(0, rows), word(1, columns), one[dtype]],
          ...[memory, word(2, apart), x, word(3, step), zero[dtype], y, word(4, 1)],
        ),
      );
      return true;
    }
    if (gemm === null) return false;
    // As bᵀ aᵀ.
    run(work, () =>
      gemm(
        ...[letter(left.flipped ? "T" : "N"), letter(right.flipped ? "T" : "N")],
        ...[word(0, m), word(1, n), word(2, k), one[dtype]],
        ...[left.memory, word(3, left.apart), right.memory, word(4, right.apart)],
        ...[zero[dtype], y, word(0, m)],
      ),
    );
    return true;
  };
  return { product };
}

/** The dtype of arrays that share one which libraries have, or null. */
function commonDType(...arrays: readonly TypedArray[]): "float64" | "float32" | null {
  if (arrays.every((array) => array instanceof Float64Array)) return "float64";
  return arrays.every((array) => array instanceof Float32Array) ? "float32" : null;
}

/** A matrix that lies by columns, so many elements apart, and is read transposed where `flipped`. */
interface Columns {
  readonly memory: TypedArray;
  readonly rows: number;
  readonly columns: number;
  readonly apart: number;
  readonly flipped: boolean;
}

/** The transpose of an n × m matrix as it lies; null where neither its rows nor its columns lie together. */
function byColumns({ data, start, row, column }: Matrix, n: number, m: number): Columns | null {
  const memory = data.subarray(start);
  if (column === 1 && row >= m) return { memory, rows: m, columns: n, apart: row, flipped: false };
  if (row === 1 && column >= n) return { memory, rows: n, columns: m, apart: column, flipped: true };
  return null;
}
