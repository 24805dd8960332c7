/** The targets that compile knows by name: its own, and those of packages that have been imported. */

import { ArgumentError } from "@adjoint/core";
import { interpret } from "./interpret.ts";
import type { Target } from "./program.ts";
import { wasm } from "./targets/wasm/target.ts";

/** The names of targets. */
export type TargetName = "wasm" | "interpret" | "c" | "auto";

/** What `compile` compiles to unless told otherwise. */
export const DEFAULT_TARGET: TargetName = "wasm";

/** Where the targets are that this package does not have. */
const PACKAGES: Partial<Record<TargetName, string>> = { c: "@adjoint/native", auto: "@adjoint/native" };

const targets = new Map<string, Target>([interpret, wasm].map((target) => [target.name, target]));

/** Makes a target known by its name, from now on. */
export function registerTarget(target: Target): void {
  targets.set(target.name, target);
}

/**
 * The target of a name.
 *
 * Throws: ArgumentError where there is none, or its package has not been imported.
 */
export function targetNamed(name: TargetName): Target {
  const target = targets.get(name);
  if (target !== undefined) return target;
  const from = PACKAGES[name];
  throw new ArgumentError({
    where: "compile",
    expected:
      from === undefined
        ? `target must be one of ${[...new Set([...targets.keys(), ...Object.keys(PACKAGES)])].sort().join(", ")}`
        : `target ${JSON.stringify(name)} must be known`,
    received: from === undefined ? JSON.stringify(name) : "none of that name",
    ...(from === undefined ? {} : { advice: `Import ${from} first, which has it.` }),
  });
}
