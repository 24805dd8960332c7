/** Cache: shared libraries on disk by what they were made of, safe against other processes and broken files. */

import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What a cache is asked for. */
export interface Wanted {
  /** All that a library depends on, as text. */
  readonly key: string;
  /** What is kept beside it, for people. */
  readonly source: string;
  /** Makes the library as a file. */
  make(file: string): void;
}

/** Of so many files the oldest quarter is removed. */
const MOST_FILES = 3000;

/** The user's folder for what can be made again. */
export function defaultFolder(): string {
  const { platform, env } = process;
  if (env["XDG_CACHE_HOME"]) return join(env["XDG_CACHE_HOME"], "adjoint");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "adjoint");
  if (platform === "win32" && env["LOCALAPPDATA"]) return join(env["LOCALAPPDATA"], "adjoint");
  return join(homedir(), ".cache", "adjoint");
}

/**
 * The file of a library: one that is there and whole, or else one that is made now. Where the folder cannot be written
 * to, it is made in a folder of this process.
 */
export function cached(folder: string, wanted: Wanted): string {
  const known = find(folder, wanted.key);
  if (known !== null) return known;
  try {
    return add(folder, wanted);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const own = ownFolder();
    return find(own, wanted.key) ?? add(own, wanted);
  }
}

/** Forgets a library, which turned out not to work. */
export function forget(folder: string, key: string): void {
  for (const from of [folder, temporary]) {
    if (from !== null) rmSync(join(from, `${digestOf(key)}.txt`), { force: true });
  }
}

// A record names the library by its digest: one that was half written, or changed, is not found.
function find(folder: string, key: string): string | null {
  const record = join(folder, `${digestOf(key)}.txt`);
  try {
    const digest = readFileSync(record, "utf8").trim();
    const file = join(folder, `${digest}${SUFFIX}`);
    if (digestOf(readFileSync(file)) !== digest) return null;
    touch(record);
    touch(file);
    return file;
  } catch {
    return null;
  }
}

/** Makes a library, and puts it in its place whole: whoever looks finds it as it will be, or not at all. */
function add(folder: string, { key, source, make }: Wanted): string {
  makeFolder(folder);
  const draft = join(folder, `${randomUUID()}.draft`);
  // Refused here, before the compiler is asked.
  writeFileSync(draft, "");
  try {
    make(draft);
    const library = readFileSync(draft);
    const digest = digestOf(library);
    const file = join(folder, `${digest}${SUFFIX}`);
    // A library in use must not be written to: the new file takes over its name.
    if (!existsSync(file) || digestOf(readFileSync(file)) !== digest) renameSync(draft, file);
    writeWhole(folder, `${digestOf(key)}.c`, source);
    writeWhole(folder, `${digestOf(key)}.txt`, `${digest}\n`);
    prune(folder);
    return file;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Makes a folder with those around it. (Node's own way never ends where a file system says of all names that there are none.) */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const around = dirname(folder);
  if (around !== folder) makeFolder(around);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw error;
  }
}

function writeWhole(folder: string, name: string, text: string): void {
  const draft = join(folder, `${randomUUID()}.draft`);
  writeFileSync(draft, text);
  renameSync(draft, join(folder, name));
}

const SUFFIX = process.platform === "win32" ? ".dll" : process.platform === "darwin" ? ".dylib" : ".so";

function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 40);
}

function touch(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    // Of a folder that is only read, nothing is removed either.
  }
}

/** Removes what was not used for longest when there is much. Others may do the same, so files may be gone already. */
function prune(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= MOST_FILES) return;
  const dated = names.flatMap((name) => {
    try {
      return [{ name, time: statSync(join(folder, name)).mtimeMs }];
    } catch {
      return [];
    }
  });
  dated.sort((a, b) => a.time - b.time);
  for (const { name } of dated.slice(0, names.length / 4)) {
    try {
      rmSync(join(folder, name), { force: true });
    } catch {
      // In use.
    }
  }
}

/** Whether an error says that a folder is not to be written to. */
function isRefusal(error: unknown): boolean {
  const refusals = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOSPC", "ENOENT", "EDQUOT"];
  return refusals.includes((error as NodeJS.ErrnoException)?.code ?? "");
}

let temporary: string | null = null;

/** A folder of this process alone, which goes with it. */
function ownFolder(): string {
  if (temporary === null) {
    const made = mkdtempSync(join(tmpdir(), "adjoint-cache-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    temporary = made;
  }
  return temporary;
}
