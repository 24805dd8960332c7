/** What is here: versions, the processor, and what compiled code would use of it. */

import { availableParallelism, cpus } from "node:os";
import { wasmFeatures } from "@adjoint/compiler";
import type { Machine } from "@adjoint/native";
import { counted, type Output } from "./output.ts";

/** Says what there is, a line a thing. */
export async function info(version: string, output: Output): Promise<void> {
  const { fusedMultiplyAdd, threads } = wasmFeatures();
  const native = await nativeOf();
  const machine = native?.machine() ?? null;
  const processor = cpus()[0]?.model.trim() || process.arch;
  const compiler =
    machine === null
      ? "not here: install @adjoint/native"
      : machine.compiler === null
        ? (machine.problem as string)
        : `${machine.compiler.command}, vectors of ${machine.compiler.vectorBytes} bytes; compiled code is kept in ${machine.cache}`;
  const blas = machine === null ? null : blasOf(machine);
  const lines: readonly (readonly [string, string | null])[] = [
    ["adjoint", version],
    ["Node", `${process.versions.node}, ${process.platform} ${process.arch}`],
    ["processor", `${processor}, ${counted(availableParallelism(), "thread")}`],
    [
      "WebAssembly",
      `vectors${fusedMultiplyAdd ? ", fused multiply-add" : ""}, ${threads ? "threads" : "no threads"}`,
    ],
    ["C target", compiler],
    ["BLAS", blas],
  ];
  for (const [name, text] of lines) if (text !== null) output.say(`${name.padEnd(13)}${text}`);
  output.report({
    version,
    node: process.versions.node,
    processor,
    threads: availableParallelism(),
    wasm: { fusedMultiplyAdd, threads },
    native: machine,
  });
}

/** The library of dense matrices, and what it is for. */
function blasOf({ blas, products }: Machine): string {
  if (blas === null) return "none found: products and linear algebra are all our own";
  const { path, description, threads, routines } = blas;
  const uses = [
    ...(products === path ? ["large products of the C target"] : []),
    `with useBlas() eager products${routines.length > 1 ? " and linear algebra" : ""}`,
  ];
  return `${description} (${path})${threads === null ? "" : `, ${counted(threads, "thread")}`}: ${uses.join("; ")}`;
}

/** The C target's package, which need not be installed. */
async function nativeOf(): Promise<typeof import("@adjoint/native") | null> {
  try {
    return await import("@adjoint/native");
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}
