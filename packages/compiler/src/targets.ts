/** The targets that compile knows by name, and the one that it takes where none is given. */

import { interpret } from "./interpret.ts";
import type { Target } from "./program.ts";
import { wasm } from "./targets/wasm/target.ts";

export const targets = { interpret, wasm } as const satisfies Record<string, Target>;

/** What `compile` compiles to unless told otherwise. */
export const DEFAULT_TARGET: keyof typeof targets = "wasm";
