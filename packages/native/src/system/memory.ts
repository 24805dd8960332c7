/** Memory: large arrays in large pages, where the system has them for the asking. */

import koffi from "koffi";

/** Arrays of fewer bytes are left to the system. */
const LEAST = 2 ** 22;
/** Linux's MADV_HUGEPAGE. */
const HUGE_PAGES = 14;
const PAGE = 4096n;

type Advise = (at: bigint, bytes: bigint, advice: number) => number;

/**
 * Asks for large pages for memory that was not touched yet: a page that is touched first costs a trap and is filled with
 * zeros, and there are 512 times fewer. Does nothing where that is not known, or the system refuses.
 */
export function preferLargePages(address: bigint, bytes: number): void {
  if (bytes < LEAST || process.platform !== "linux") return;
  advise ??= load();
  const first = (address + PAGE - 1n) & -PAGE;
  const end = (address + BigInt(bytes)) & -PAGE;
  advise?.(first, end - first, HUGE_PAGES);
}

/** Not looked for yet: undefined; not there: null. */
let advise: Advise | null | undefined;

function load(): Advise | null {
  try {
    return koffi.load("libc.so.6").func("madvise", "int", ["uint64_t", "size_t", "int"]) as Advise;
  } catch {
    return null;
  }
}
