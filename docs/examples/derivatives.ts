// npm run example -- docs/examples/derivatives.ts

/**
 * A damped oscillation and its first three derivatives, each the gradient of the one before.
 *
 *     f(x) = e^(−x) sin 2πx  on [0, 3]
 *
 * f is the imaginary part of e^(λx) with λ = −1 + 2πi, and each derivative multiplies that by λ once more. With
 * r = |λ| = √(1 + 4π²) and φ = arg λ, every derivative is therefore f itself, stretched by r and shifted in phase by φ:
 *
 *     f⁽ⁿ⁾(x) = rⁿ e^(−x) sin(2πx + nφ).
 *
 * A gradient belongs to a scalar. Over a grid, f(xᵢ) depends on xᵢ alone, so that the gradient of Σᵢ f(xᵢ) holds all
 * f′(xᵢ) at once; that is again a function of the grid, and is differentiated in the same way.
 *
 * Source: Riley, Hobson & Bence, Mathematical Methods for Physics and Engineering, 3rd edition (2006), §3.6,
 * "Applications to differentiation and integration" (of complex exponentials).
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { grad, type Value, value } from "@adjoint/core";
import { curves } from "@adjoint/viz";

type Curve = (x: Value) => Value;

const f: Curve = (x) =>
  x
    .neg()
    .exp()
    .mul(x.mul(2 * Math.PI).sin());

/** The derivative of a function that works element by element. */
const derivative = (g: Curve): Curve => grad((x: Value) => g(x).sum());

const r = Math.hypot(1, 2 * Math.PI);
const φ = Math.atan2(2 * Math.PI, -1);
const closedForm = (n: number, x: number) => r ** n * Math.exp(-x) * Math.sin(2 * Math.PI * x + n * φ);

const grid = Float64Array.from({ length: 601 }, (_, i) => i / 200);
const functions = [f, derivative(f), derivative(derivative(f)), derivative(derivative(derivative(f)))];
const names = ["f", "f′", "f″", "f‴"];
const results = functions.map((g) => g(value(grid)).data);

/** Ten decimals, without the sign of what rounds to 0. */
const decimals = (y: number) => (Math.round(y * 1e10) / 1e10 + 0).toFixed(10);

console.log("f(x) = e^(−x) sin 2πx and its derivatives, by nesting grad\n");
console.log(`  ${"x".padEnd(5)}${names.map((name) => name.padStart(16)).join("")}`);
for (let i = 0; i < grid.length; i += 50) {
  const row = results.map((ys) => decimals(ys[i] as number).padStart(16));
  console.log(`  ${(grid[i] as number).toFixed(2).padEnd(5)}${row.join("")}`);
}

const errors = results.map((ys, n) =>
  grid.reduce((worst, x, i) => Math.max(worst, Math.abs((ys[i] as number) - closedForm(n, x))), 0),
);
console.log(`\n  ${"error".padEnd(5)}${errors.map((error) => error.toExponential(1).padStart(16)).join("")}`);
console.log(`  (the largest difference from rⁿ e^(−x) sin(2πx + nφ) at ${grid.length} points)`);
for (const error of errors) assert.ok(error < 1e-12);

// At 0 the closed forms are numbers of π alone: 0, 2π, −4π, 6π − 8π³.
const atZero = [0, 2 * Math.PI, -4 * Math.PI, 6 * Math.PI - 8 * Math.PI ** 3];
results.forEach((ys, n) => {
  assert.ok(Math.abs((ys[0] as number) - (atZero[n] as number)) < 1e-12);
});

const picture = curves({
  title: "Each derivative of a damped wave is the wave, stretched and shifted",
  x: { label: "x" },
  y: { label: "derivatives, divided by the powers of r = √(1 + 4π²) ≈ 6.36" },
  series: ["f(x) = e^(−x) sin 2πx", "f′/r", "f″/r²", "f‴/r³"].map((name, n) => ({
    name,
    x: grid,
    y: (results[n] as Float64Array).map((y) => y / r ** n),
  })),
});
const pictures = new URL("pictures/", import.meta.url);
mkdirSync(pictures, { recursive: true });
writeFileSync(new URL("derivatives.svg", pictures), picture);
console.log("\nThe curves are drawn in docs/examples/pictures/derivatives.svg");
