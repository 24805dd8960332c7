/** The functions that kernels compute by lane instructions, by name. */

import type { LaneFunction } from "./lanes.ts";

/** All of them. */
export const laneFunctions: ReadonlyMap<string, LaneFunction> = new Map();
