/** Targets: how functions are run, operation by operation or compiled to something. */

import { compile, type Target } from "@adjoint/compiler";
import type { Task } from "./problem.ts";

/** The names of targets. */
export const TARGETS = ["eager", "interpret", "wasm", "c"] as const;
export type TargetName = (typeof TARGETS)[number];

/** Makes a function ready to be called, once for each task. */
export type Runner = (f: Task["f"]) => Runnable;

/** A function that is called with a task's arguments. */
export interface Runnable {
  (...args: readonly unknown[]): unknown;
  /** Captures and compiles for these arguments, where that is to be done. */
  prepare?(...args: readonly unknown[]): void;
  dispose?(): void;
}

/** How a target runs functions. Throws where it is not installed. */
export async function runnerOf(name: TargetName): Promise<Runner> {
  if (name === "eager") return (f) => f as Runnable;
  const target = name === "c" ? await nativeTarget() : name;
  return (f) => compile(f, { target }) as unknown as Runnable;
}

/** The C target, of a package that is not needed for any other. */
async function nativeTarget(): Promise<Target> {
  const name = "@adjoint/native";
  try {
    const { c } = (await import(name)) as { c: Target };
    return c;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`--target c: the package ${name} must be installed, got ${reason}. Use --target wasm.`);
  }
}
