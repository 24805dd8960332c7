/** Libraries of BLAS and LAPACK: which one is on the machine, what it is, and how many threads it uses. */

import koffi from "koffi";

/** The addresses of a library's products of row-major matrices, with 32-bit sizes. */
export interface Blas {
  readonly path: string;
  readonly sgemm: bigint;
  readonly dgemm: bigint;
}

/** Memory as a routine takes it: an array from its first element on, or where something is that stays. */
export type Memory = ArrayBufferView | bigint;

/** A routine of Fortran, which is given all that it reads and writes by address. */
type Routine = (...memory: Memory[]) => void;

/** A library that is loaded, and does what BLAS must. */
export interface Library {
  readonly path: string;
  /** What it says of itself. */
  readonly description: string;
  /** Bytes of its whole numbers: 4, or 8 where it is built for larger matrices. */
  readonly wordBytes: 4 | 8;
  /** Its products for C; null where C cannot call them with 32-bit sizes. */
  readonly blas: Blas | null;
  /** How many threads it uses if nobody says otherwise; null where it does not tell. */
  readonly ownThreads: number | null;
  /** The routine of a name, which takes so many addresses, some of them of letters; null where it has none. */
  routine(name: string, addresses: number, letters: number): Routine | null;
  /** Lets it use so many threads, and returns how many it used before. */
  useThreads(count: number | null): number | null;
}

/** Where libraries are, the faster ones first. */
const PATHS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    ...["libmkl_rt.so.2", "libmkl_rt.so", "libopenblas.so.0", "libopenblas.so"],
    ...["libopenblas64.so.0", "libopenblas64_.so.0", "libopenblas64_.so", "libblis.so.4", "libblis.so"],
  ],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "libopenblas.dylib",
  ],
  win32: ["mkl_rt.2.dll", "libopenblas.dll", "openblas.dll"],
};

/** What libraries add to the names of Fortran; some with whole numbers of 64 bits say so. */
const ENDINGS = ["_", "_64_", ""] as const;

/** Makers of libraries, by the functions that only theirs have. */
const MAKERS = [
  {
    name: "OpenBLAS",
    setThreads: "openblas_set_num_threads",
    getThreads: "openblas_get_num_threads",
    texts: ["openblas_get_config", "openblas_get_corename"],
  },
  {
    name: "OpenBLAS",
    setThreads: "openblas_set_num_threads64_",
    getThreads: "openblas_get_num_threads64_",
    texts: ["openblas_get_config64_", "openblas_get_corename64_"],
  },
  { name: "MKL", setThreads: "MKL_Set_Num_Threads", getThreads: "MKL_Get_Max_Threads", texts: [] },
  {
    name: "BLIS",
    setThreads: "bli_thread_set_num_threads",
    getThreads: "bli_thread_get_num_threads",
    texts: ["bli_info_get_version_str"],
  },
] as const;

/** Bytes that a call has for its stack. */
const STACK = 2 ** 24;

/**
 * Whether a call's stack is as large as a program's, which libraries count on: what OpenBLAS's threads share in an elimination
 * is half a megabyte for each step of its recursion (its issue 1082), and calls have 2 MiB if nobody asks for more before the first
 * library is loaded.
 */
export const hasLargeStack =
  koffi.config().sync_stack_size === STACK || lookUp(() => koffi.config({ sync_stack_size: STACK })) !== null;

const loaded = new Map<string, Library | null>();

/** Where a library is looked for if nobody names one. */
export function usualPaths(): readonly string[] {
  return PATHS[process.platform] ?? [];
}

/** The library of a path, or the first that there is and that has the property; null where there is none. */
export function findLibrary(
  path: string | null,
  suits: (library: Library) => boolean = () => true,
): Library | null {
  for (const candidate of path === null ? usualPaths() : [path]) {
    const library = loaded.has(candidate) ? loaded.get(candidate) : load(candidate);
    loaded.set(candidate, library ?? null);
    if (library && suits(library)) return library;
  }
  return null;
}

/**
 * The products of the library of a path, or of the first that there is; null where there is none. It uses so many threads
 * from now on, or as many as before.
 */
export function findBlas(path: string | null, threads: number | null): Blas | null {
  const library = findLibrary(path, ({ blas }) => blas !== null);
  library?.useThreads(threads);
  return library?.blas ?? null;
}

function load(path: string): Library | null {
  try {
    return libraryOf(path, koffi.load(path));
  } catch {
    return null;
  }
}

type Handle = ReturnType<typeof koffi.load>;

/** What koffi gives for a name, or null where the library has none of it. */
function lookUp<T>(find: () => T): T | null {
  try {
    return find();
  } catch {
    return null;
  }
}

function libraryOf(path: string, handle: Handle): Library | null {
  const ending = ENDINGS.find((ending) => lookUp(() => handle.symbol(`dgemm${ending}`)) !== null);
  if (ending === undefined) return null;
  const routine: Library["routine"] = (name, addresses, letters) => {
    // Where Fortran hands on letters, the length of each comes last.
    const types = [...Array(addresses).fill("void *"), ...Array(letters).fill("size_t")];
    const call = lookUp(() => handle.func(`${name}${ending}`, "void", types));
    if (call === null) return null;
    const lengths = new Array<number>(letters).fill(1);
    return (...given) => call(...given, ...lengths);
  };
  const dcopy = routine("dcopy", 5, 0);
  if (dcopy === null) return null;
  const wordBytes = wordBytesOf(dcopy);
  const maker = MAKERS.find(({ setThreads }) => lookUp(() => handle.symbol(setThreads)) !== null);
  // Whole numbers of 32 bits are handed over as 64, which every function reads rightly.
  const setThreads = maker ? handle.func(maker.setThreads, "void", ["int64_t"]) : null;
  const getThreads = maker ? lookUp(() => handle.func(maker.getThreads, "int", [])) : null;
  const ownThreads = countOf(getThreads);
  let threads = ownThreads;
  const [sgemm, dgemm] = ["cblas_sgemm", "cblas_dgemm"].map((name) =>
    lookUp(() => handle.symbol(name) as bigint),
  );
  return {
    path,
    description: descriptionOf(maker, handle),
    wordBytes,
    blas: wordBytes === 4 && sgemm && dgemm ? { path, sgemm, dgemm } : null,
    ownThreads,
    routine,
    useThreads(count) {
      const before = threads;
      if (count !== null && count !== threads && setThreads !== null) {
        setThreads(count);
        threads = count;
      }
      return before;
    },
  };
}

/**
 * How many bytes a library's whole numbers have. It is asked to copy as many elements as these 64 bits say, which are 1 in
 * the first 32 of them and fewer than none in all: it copies one, or none.
 */
function wordBytesOf(dcopy: Routine): 4 | 8 {
  const count = Int32Array.of(1, -1);
  const step = Int32Array.of(1, 0);
  const [from, to] = [Float64Array.of(1), Float64Array.of(0)];
  dcopy(count, from, step, to, step);
  return to[0] === 1 ? 4 : 8;
}

function countOf(getThreads: (() => number) | null): number | null {
  const count = getThreads?.() ?? 0;
  return count > 0 ? count : null;
}

/** Its maker, version and kernels, as far as it tells. */
function descriptionOf(maker: (typeof MAKERS)[number] | undefined, handle: Handle): string {
  if (maker === undefined) return "BLAS";
  const [version = "", kernels] = maker.texts.map(
    (name) => lookUp(() => handle.func(name, "str", [])() as string) ?? "",
  );
  const number = /\d+\.\d+[.\w]*/.exec(version)?.[0];
  return [
    maker.name,
    ...(number ? [` ${number}`] : []),
    ...(kernels ? [`, kernels for ${kernels}`] : []),
  ].join("");
}
