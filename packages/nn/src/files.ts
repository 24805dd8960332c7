/** Safetensors files, written so that a crash or a full disk never costs the file that was there before; Node only. */

import { existsSync } from "node:fs";
import { lstat, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AdjointError, type ErrorParts } from "@adjoint/core";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors, type Tensors } from "./safetensors.ts";
import type { TrainingState } from "./training/state.ts";

/** A file that could not be read or written. */
export class FileError extends AdjointError {
  /** The system's code, for example ENOSPC; `null` where the file could be read but not understood. */
  readonly code: string | null;

  constructor(parts: ErrorParts, cause: unknown) {
    super(parts);
    this.cause = cause;
    this.code = codeOf(cause);
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "Free some space.",
  EDQUOT: "Free some space.",
  EFBIG: "Free some space, or raise the limit on the size of a file.",
  EACCES: "Choose a place that you may write to.",
  EPERM: "Choose a place that you may write to.",
  EROFS: "Choose a place that you may write to.",
  ENOENT: "Check the path.",
  ENOTDIR: "A part of the path is a file: choose another.",
  EEXIST: "A part of the path is a file: choose another.",
  EISDIR: "It is a directory: name a file in it.",
};

/** What the system said, without the call that it said it of: `ENOSPC: no space left on device`. */
function reason(error: unknown): string {
  return error instanceof Error ? (error.message.split(", ")[0] as string) : String(error);
}

function fileError(where: string, path: string, verb: "read" | "written", error: unknown): FileError {
  const code = codeOf(error);
  const kept = verb === "written" ? " Nothing was overwritten." : "";
  const advice = `${(code !== null && ADVICE[code]) || "Check the path."}${kept}`;
  const expected = `${JSON.stringify(path)} must be a file that can be ${verb}`;
  return new FileError({ where, expected, received: reason(error), advice }, error);
}

/** The file that a path leads to through links, and whether it is one that a rename may replace. */
async function target(path: string): Promise<{ path: string; special: boolean }> {
  let real = path;
  try {
    real = await realpath(path);
    return { path: real, special: !(await lstat(real)).isFile() };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { path: real, special: false };
    throw error;
  }
}

/**
 * Makes a folder and those above it.
 *
 * Node's recursive mkdir never ends where the system answers ENOENT although the folder above is there, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      const above = dirname(path);
      if (above === path || existsSync(above)) throw error;
      await makeFolder(above);
      await makeFolder(path);
    } else if (!(await stat(path).catch(() => null))?.isDirectory()) {
      throw error;
    }
  }
}

let written = 0;

/**
 * Writes a file whole or not at all: into a new file beside it, which takes its place once it is safely on the disk.
 * Folders on the way are made.
 *
 * Links are followed. A device or a pipe is written to as it is.
 * Throws: FileError where the file cannot be written; then the file that was there before is unchanged.
 */
export async function writeFileSafely(
  path: string,
  contents: Uint8Array | string,
  where = "writeFileSafely",
): Promise<void> {
  let temporary: string | null = null;
  try {
    await makeFolder(dirname(path));
    const { path: real, special } = await target(path);
    const beside = `${real}.${process.pid}-${written++}.tmp`;
    if (!special) temporary = beside;
    const file = await open(special ? real : beside, special ? "w" : "wx");
    try {
      await file.writeFile(contents);
      if (!special) await file.sync();
    } finally {
      await file.close();
    }
    if (!special) await rename(beside, real);
  } catch (error) {
    if (temporary !== null) await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(where, path, "written", error);
  }
}

/** The contents of a file. */
async function readBytes(where: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError(where, path, "read", error);
  }
}

/** Decodes what was read from a file; an error then names the file. */
function decoded<T>(where: string, path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof AdjointError)) throw error;
    const what = error.message.slice(error.where.length + 2).replace(/\.$/, "");
    throw new FileError({ where, expected: `${JSON.stringify(path)}: ${what}` }, error);
  }
}

/**
 * Writes tensors to a safetensors file. Folders on the way are made.
 *
 * Throws: FileError where the file cannot be written; then the file that was there before is unchanged.
 */
export async function saveSafetensors(
  path: string,
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileSafely(path, encodeSafetensors(tensors, metadata), "saveSafetensors");
}

/**
 * Reads a safetensors file.
 *
 * Throws: FileError for a file that is not there, or that `decodeSafetensors` refuses.
 */
export async function loadSafetensors(path: string): Promise<Safetensors> {
  const bytes = await readBytes("loadSafetensors", path);
  return decoded("loadSafetensors", path, () => decodeSafetensors(bytes));
}

/**
 * Writes the state of a run to a file, to go on from after an interruption.
 *
 * Throws: FileError where the file cannot be written; then the file that was there before is unchanged.
 */
export async function saveCheckpoint(
  path: string,
  state: TrainingState,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileSafely(path, encodeCheckpoint(state, metadata), "saveCheckpoint");
}

/**
 * Reads the state of a run.
 *
 * Throws: FileError for a file that is not there, or that is no checkpoint.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readBytes("loadCheckpoint", path);
  return decoded("loadCheckpoint", path, () => decodeCheckpoint(bytes));
}
