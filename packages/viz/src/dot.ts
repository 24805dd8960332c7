/** The recorded graph in DOT, the language of Graphviz, and as an SVG picture. */

import type { Value } from "@adjoint/core";
import { drawn, type GraphOptions, type Role } from "./graph.ts";

const FILL: Record<Role, string> = { parameter: "#d6e8f5", constant: "#eeeeee", result: "#ffffff" };

/** Text inside a quoted record label (graphviz.org, "Record-based Nodes"). */
function escapeField(text: string): string {
  return text.replaceAll(/[\\{}|<>"]/g, "\\$&").replaceAll(/\r\n|\r|\n/g, "\\n");
}

/** Text inside a quoted label. */
function escapeLabel(text: string): string {
  return text.replaceAll(/[\\"]/g, "\\$&").replaceAll(/\r\n|\r|\n/g, "\\n");
}

/**
 * The graph that a value, or several, came from, in Graphviz's language.
 *
 * A box is a value: its label, its data (a shape and dtype where there are more than four numbers) and, for a
 * parameter, its gradient. Parameters are blue, constants grey, the values asked for have a thick frame. An ellipse is
 * an operation. What was computed from constants alone is not recorded, and shows as an operation without inputs.
 * Throws: ArgumentError for a graph of more than `maxNodes` values.
 *
 * @example
 * const x = parameter(3, { label: "x" });
 * toDot(mul(x, 2)).includes('"x | data 3"') // true
 */
export function toDot(root: Value | readonly Value[], options: GraphOptions = {}): string {
  const lines = [
    "digraph {",
    `  graph [rankdir=${options.direction ?? "LR"}, bgcolor=white, nodesep=0.2, ranksep=0.35]`,
    '  node [fontname=Helvetica, fontsize=11, color="#555555", style=filled, height=0.3, margin="0.14,0.05"]',
    '  edge [color="#888888", arrowsize=0.6]',
  ];
  drawn("toDot", root, options).forEach((x, i) => {
    const row = x.lines.map(escapeField).join(" | ");
    // Fields stand across the direction of the graph; braces turn them.
    const fields = options.direction === "TB" ? `{${row}}` : row;
    lines.push(
      `  v${i} [shape=record, label="${fields}", fillcolor="${FILL[x.role]}"${x.root ? ", penwidth=2" : ""}]`,
    );
    if (x.operation === null) return;
    // Edges enter an operation in the order of its operands.
    const label = x.operation.map(escapeLabel).join("\\n");
    lines.push(`  o${i} [shape=ellipse, label="${label}", fillcolor="#fff3d6", ordering=in]`);
    for (const input of x.inputs) lines.push(`  v${input} -> o${i}`);
    lines.push(`  o${i} -> v${i}`);
  });
  return `${[...lines, "}"].join("\n")}\n`;
}

/**
 * The graph that a value, or several, came from, as a standalone SVG picture: `toDot`, laid out by Graphviz.
 *
 * Graphviz is WebAssembly, loaded at the first call.
 * Throws: as `toDot`.
 *
 * @example
 * const x = parameter(3, { label: "x" });
 * const svg = await renderGraph(tanh(x));
 * svg.includes("<svg") // true
 */
export async function renderGraph(
  root: Value | readonly Value[],
  options: GraphOptions = {},
): Promise<string> {
  const dot = toDot(root, options);
  const { instance } = await import("@viz-js/viz");
  const viz = await instance();
  return viz.renderString(dot, { format: "svg" });
}
