// npm run example -- docs/examples/micrograd.ts

/**
 * The expression of micrograd's README, its gradients, and its graph.
 *
 * At a = −4, b = 2, with ⁺ for max(·, 0):
 *
 *     c₁ = a + b          c₂ = c₁ + (c₁ + 1)                  c₃ = c₂ + (1 + c₂ − a)
 *     d₁ = ab + b³        d₂ = d₁ + (2d₁ + (b + a)⁺)          d₃ = d₂ + (3d₂ + (b − a)⁺)
 *     e = c₃ − d₃         f = e²                              g = f/2 + 10/f
 *
 * By hand: b + a < 0, so that its branch is off, and b − a > 0, so that the other is on. Then e = −7, and
 *
 *     ∂e/∂a = 3 − 23 = −20,    ∂e/∂b = 4 − 97 = −93,    dg/de = e − 20/e³ = −2381/343,
 *     ∂g/∂a = 47620/343,       ∂g/∂b = 221433/343.
 *
 * Source: Karpathy, micrograd (2020), README, "Example usage".
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { div, parameter, type Value } from "@adjoint/core";
import { gradcheck } from "@adjoint/gradcheck";
import { renderGraph } from "@adjoint/viz";

/** The expression, step by step as micrograd's README writes it. */
function steps(a: Value, b: Value): Record<string, Value> {
  const c1 = a.add(b);
  const d1 = a.mul(b).add(b.pow(3));
  const c2 = c1.add(c1.add(1));
  const c3 = c2.add(c2.add(1).add(a.neg()));
  const d2 = d1.add(d1.mul(2).add(b.add(a).relu()));
  const d3 = d2.add(d2.mul(3).add(b.sub(a).relu()));
  const e = c3.sub(d3);
  const f = e.square();
  const g = f.div(2).add(div(10, f));
  return { "c₁": c1, "c₂": c2, "c₃": c3, "d₁": d1, "d₂": d2, "d₃": d3, e, f, g };
}

const a = parameter(-4, { label: "a" });
const b = parameter(2, { label: "b" });
const named = steps(a, b);
for (const [label, x] of Object.entries(named)) x.label = label;
const g = named["g"] as Value;
g.backward();

console.log("The expression of micrograd's README\n");
for (const x of [a, b, ...Object.values(named)]) {
  console.log(`  ${x.label?.padEnd(2)} ${String(Number(x.item().toFixed(4))).padStart(9)}`);
}

const slopes: [name: string, ours: number, exact: number, printed: string][] = [
  ["g", g.item(), 49 / 2 + 10 / 49, "24.7041"],
  ["∂g/∂a", a.grad?.item() ?? Number.NaN, 47620 / 343, "138.8338"],
  ["∂g/∂b", b.grad?.item() ?? Number.NaN, 221433 / 343, "645.5773"],
];
console.log(`\n${"".padEnd(9)}${"ours".padEnd(20)}${"by hand".padEnd(20)}micrograd prints`);
for (const [name, ours, exact, printed] of slopes) {
  console.log(`  ${name.padEnd(7)}${String(ours).padEnd(20)}${String(exact).padEnd(20)}${printed}`);
  assert.equal(ours.toFixed(4), printed);
  assert.ok(Math.abs(ours / exact - 1) < 4 * Number.EPSILON);
}

const report = gradcheck((x: Value, y: Value) => steps(x, y)["g"], [-4, 2]);
console.log(`\n${report}`);
assert.ok(report.passed);

const pictures = new URL("pictures/", import.meta.url);
mkdirSync(pictures, { recursive: true });
writeFileSync(new URL("micrograd.svg", pictures), await renderGraph(g, { direction: "TB" }));
console.log("\nIts graph is drawn in docs/examples/pictures/micrograd.svg");
