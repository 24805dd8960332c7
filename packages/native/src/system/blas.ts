/** BLAS: matrix products of a library that is found on the machine, or none. */

import koffi from "koffi";

/** The addresses of a library's products of row-major matrices. */
export interface Blas {
  readonly path: string;
  readonly sgemm: bigint;
  readonly dgemm: bigint;
}

/** Where libraries with 32-bit sizes are, the faster ones first. */
const PATHS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    ...["libmkl_rt.so.2", "libmkl_rt.so", "libopenblas.so.0", "libopenblas.so"],
    ...["libblis.so.4", "libblis.so"],
  ],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "libopenblas.dylib",
  ],
  win32: ["mkl_rt.2.dll", "libopenblas.dll", "openblas.dll"],
};

/** Functions that set how many threads a library uses. */
const THREADS = ["openblas_set_num_threads", "MKL_Set_Num_Threads", "bli_thread_set_num_threads"];

const loaded = new Map<string, { readonly blas: Blas; readonly setThreads: ((n: number) => void) | null }>();

/**
 * The library of a path, or the first that there is; null where there is none. It uses so many threads from now on, or as
 * many as before.
 */
export function findBlas(path: string | null, threads: number | null): Blas | null {
  for (const candidate of path === null ? (PATHS[process.platform] ?? []) : [path]) {
    const library = loaded.get(candidate) ?? load(candidate);
    if (library === null) continue;
    loaded.set(candidate, library);
    if (threads !== null) library.setThreads?.(threads);
    return library.blas;
  }
  return null;
}

function load(path: string) {
  try {
    const library = koffi.load(path);
    const setter = THREADS.flatMap((name) => {
      try {
        return [library.func(name, "void", ["int"]) as (n: number) => void];
      } catch {
        return [];
      }
    })[0];
    return {
      blas: {
        path,
        sgemm: library.symbol("cblas_sgemm") as bigint,
        dgemm: library.symbol("cblas_dgemm") as bigint,
      },
      // The library stays loaded as long as its function is known.
      setThreads: setter ?? null,
      library,
    };
  } catch {
    return null;
  }
}
