/** Kernels as text, for people and for tests. */

import type { Affine, Kernel, Place, Register, Statement } from "./language.ts";

const DTYPE = { float32: "f32", float64: "f64", int32: "i32", bool: "mask" } as const;

/** A kernel, one statement a line, loops indented. */
export function printKernel(kernel: Kernel): string {
  return [`kernel ${kernel.name} {`, ...kernel.body.flatMap((s) => print(s, "  ")), "}"].join("\n");
}

function print(s: Statement, indent: string): string[] {
  switch (s.kind) {
    case "loop":
      return [
        `${indent}for i${s.counter.id} < ${s.counter.extent} {`,
        ...s.body.flatMap((inner) => print(inner, `${indent}  `)),
        `${indent}}`,
      ];
    case "constant":
      return [`${indent}${typed(s.to)} = ${s.value}`];
    case "load":
      return [`${indent}${typed(s.to)} = ${printPlace(s.from)}`];
    case "compute":
      return [`${indent}${typed(s.to)} = ${s.operator}(${s.from.map(named).join(", ")})`];
    case "call":
      return [`${indent}${typed(s.to)} = ${s.called.name}(${s.from.map(named).join(", ")})`];
    case "store":
      return [`${indent}${printPlace(s.to)} = ${named(s.from)}`];
    case "combine":
      return [`${indent}${printPlace(s.to)} ${s.fold}= ${named(s.from)}`];
    case "begin":
      return [`${indent}${typed(s.to)} = begin ${s.fold}`];
    case "gather":
      return [`${indent}${named(s.into)} ${s.fold}= ${named(s.from)}`];
    case "fill":
      return [`${indent}b${s.buffer.id}[…] = ${s.value}`];
  }
}

function named(r: Register): string {
  return `r${r.id}`;
}

function typed(r: Register): string {
  return `${named(r)}: ${DTYPE[r.dtype]}`;
}

function printPlace({ buffer, at, picked }: Place): string {
  const dynamic =
    picked === null ? "" : ` + ${picked.step === 1 ? "" : `${picked.step}·`}r${picked.index.id}`;
  return `b${buffer.id}[${printAffine(at)}${dynamic}]`;
}

function printAffine({ offset, terms }: Affine): string {
  const parts = terms.map(({ counter, step }) => `${step === 1 ? "" : `${step}·`}i${counter.id}`);
  if (offset !== 0 || parts.length === 0) parts.push(String(offset));
  return parts.join(" + ");
}
