/** The recorded graph as a Mermaid flowchart, which Markdown renderers draw. */

import type { Value } from "@adjoint/core";
import { drawn, type GraphOptions } from "./graph.ts";

/** Text inside a quoted label, with Mermaid's entity codes for what it would read as Mermaid, Markdown or HTML. */
function escape(text: string): string {
  return text
    .replaceAll(/[#&<>"`\\*_]/g, (character) => `#${character.charCodeAt(0)};`)
    .replaceAll(/\r\n|\r|\n/g, "<br/>");
}

/**
 * The graph that a value, or several, came from, as a Mermaid flowchart: `toDot`'s picture for a Markdown page.
 *
 * Throws: as `toDot`.
 *
 * @example
 * const x = parameter(3, { label: "x" });
 * toMermaid(mul(x, 2)).split("\n")[0] // "flowchart LR"
 */
export function toMermaid(root: Value | readonly Value[], options: GraphOptions = {}): string {
  const lines = [`flowchart ${options.direction ?? "LR"}`];
  const values = drawn("toMermaid", root, options);
  values.forEach((x, i) => {
    lines.push(`  v${i}["${x.lines.map(escape).join("<br/>")}"]:::${x.role}`);
    if (x.operation === null) return;
    lines.push(`  o${i}(["${x.operation.map(escape).join("<br/>")}"]):::operation`);
    for (const input of x.inputs) lines.push(`  v${input} --> o${i}`);
    lines.push(`  o${i} --> v${i}`);
  });
  const roots = values.flatMap((x, i) => (x.root ? [`v${i}`] : []));
  lines.push(
    "  classDef parameter fill:#d6e8f5,stroke:#555555,color:#000000",
    "  classDef constant fill:#eeeeee,stroke:#555555,color:#000000",
    "  classDef result fill:#ffffff,stroke:#555555,color:#000000",
    "  classDef operation fill:#fff3d6,stroke:#555555,color:#000000",
    `  style ${roots.join(",")} stroke-width:3px`,
  );
  return `${lines.join("\n")}\n`;
}
