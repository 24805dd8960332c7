/** Targets: how functions are run, operation by operation or compiled to something. */

import { compile, type Target } from "@adjoint/compiler";
import { InvalidArgumentError } from "commander";
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

/**
 * How a target runs functions, on so many threads, or by default as many as the compiler chooses. Throws where it is not
 * installed.
 */
export async function runnerOf(name: TargetName, threads?: number): Promise<Runner> {
  if (name === "eager") return (f) => f as Runnable;
  const target = name === "c" ? await nativeTarget() : name;
  const options = { target, reuseResults: true, ...(threads === undefined ? {} : { threads }) };
  return (f) => compile(f, options) as unknown as Runnable;
}

/** A number of threads from a command line. */
export function threadsOf(text: string): number {
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new InvalidArgumentError("It must be a whole number ≥ 1.");
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
