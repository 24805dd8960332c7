/** PyTorch, where a Python that has it is found: `python3`, or what the environment variable PYTHON names. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Workload } from "../problem.ts";

/** PyTorch's version, or null where the Python cannot import it. */
export function torchVersion(): string | null {
  const { status, stdout } = spawnSync(python(), ["-c", "import torch; print(torch.__version__)"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 60_000,
  });
  return status === 0 ? stdout.trim() : null;
}

/** Why PyTorch cannot take part, or null where it can. */
export function missingTorch(): string | null {
  return torchVersion() === null ? `${python()} has no torch` : null;
}

function python(): string {
  return process.env["PYTHON"] ?? "python3";
}

/** A Python process that works on a workload, to be started; and what removes the problem's files. */
export interface PythonProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly remove: () => void;
}

/** Writes a workload's problem to files and says how to start PyTorch on it. */
export function pythonProcess(workload: Workload): PythonProcess {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-bench-"));
  const { json, binary } = packProblem(workload.problem());
  writeFileSync(join(folder, "problem.json"), JSON.stringify({ kind: workload.kind, ...json }));
  writeFileSync(join(folder, "problem.bin"), binary);
  const script = fileURLToPath(new URL("./pytorch.py", import.meta.url));
  return {
    command: python(),
    args: [script, folder],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Where a typed array lies in the binary file. */
interface Place {
  readonly dtype: "float32" | "int32";
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

/** A problem as JSON in which typed arrays are places in one binary file. */
export function packProblem(problem: object): { json: object; binary: Uint8Array } {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const json = JSON.parse(
    JSON.stringify(problem, (_key, item: unknown) => {
      if (!(item instanceof Float32Array || item instanceof Int32Array)) return item;
      const dtype = item instanceof Float32Array ? "float32" : "int32";
      const place: Place = { dtype, offset, length: item.length };
      parts.push(new Uint8Array(item.buffer, item.byteOffset, item.byteLength));
      offset += item.byteLength;
      return place;
    }),
  ) as object;
  return { json, binary: Buffer.concat(parts) };
}
