/** The public surface of @adjoint/viz. */

export { type Axis, type CurvesOptions, curves, type Series } from "./curves.ts";
export { renderGraph, toDot } from "./dot.ts";
export type { GraphOptions } from "./graph.ts";
export { toMermaid } from "./mermaid.ts";
export type { Scale } from "./ticks.ts";
