// npm run example -- docs/examples/rosenbrock.ts

/**
 * Rosenbrock's valley by gradient descent, by gradient descent with momentum, and by Newton's method.
 *
 *     f(x, y) = 100 (y − x²)² + (1 − x)²,    least at (1, 1), where it is 0,    from (−1.2, 1).
 *
 * Down to the parabola y = x² it is steep, along it almost level: at (1, 1) the second derivatives are about 1000 one
 * way and 0.4 the other. With g the gradient and H the matrix of second derivatives, a step s leads from x to x + s:
 *
 *     gradient descent    s = −η g
 *     momentum            s = μ s′ − η g, where s′ is the step before
 *     Newton              s = −H⁻¹ g
 *
 * H is the gradient of each entry of the gradient: grad, nested.
 *
 * Sources: Rosenbrock, An Automatic Method for Finding the Greatest or Least Value of a Function, The Computer Journal
 * 3 (1960), 175–184: the function and the start. Polyak, Some Methods of Speeding Up the Convergence of Iteration
 * Methods (1964): momentum. Nocedal & Wright, Numerical Optimization, 2nd edition (2006), §2.2 and exercise 2.1:
 * Newton's method, and the derivatives by hand.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { grad, sub, type Value, valueAndGrad } from "@adjoint/core";
import { curves } from "@adjoint/viz";

const rosenbrock = (x: Value, y: Value) => y.sub(x.square()).square().mul(100).add(sub(1, x).square());

const both = valueAndGrad(rosenbrock, { argnums: [0, 1] });
const gradient = grad(rosenbrock, { argnums: [0, 1] });
const hessianRows = [0, 1].map((i) =>
  grad((x: Value, y: Value) => gradient(x, y)[i] as Value, { argnums: [0, 1] }),
);

type Pair = [number, number];

const numbers = ([a, b]: readonly Value[]): Pair => [a?.item() as number, b?.item() as number];
const hessianAt = (x: number, y: number) => hessianRows.map((row) => numbers(row(x, y))) as [Pair, Pair];

/** H⁻¹ g by Cramer's rule. */
function solve([[a, b], [c, d]]: [Pair, Pair], [g, h]: Pair): Pair {
  const determinant = a * d - b * c;
  return [(d * g - b * h) / determinant, (a * h - c * g) / determinant];
}

/** The step from (x, y), where the gradient is g; `before` is the step that led there. */
type Rule = (at: Pair, g: Pair, before: Pair) => Pair;

const η = 0.001;
const μ = 0.9;
const rules: Record<string, Rule> = {
  "gradient descent": (_, [gx, gy]) => [-η * gx, -η * gy],
  "with momentum": (_, [gx, gy], [sx, sy]) => [μ * sx - η * gx, μ * sy - η * gy],
  Newton: ([x, y], g) => {
    const [sx, sy] = solve(hessianAt(x, y), g);
    return [-sx, -sy];
  },
};

interface Visit {
  readonly at: Pair;
  readonly f: number;
  readonly slope: number;
}

/** The points visited, until the gradient is shorter than 1e-8. */
function descend(rule: Rule): Visit[] {
  const visits: Visit[] = [];
  let at: Pair = [-1.2, 1];
  let step: Pair = [0, 0];
  for (;;) {
    const [f, g] = both(...at);
    const slope = Math.hypot(...numbers(g));
    visits.push({ at, f: f.item(), slope });
    if (slope < 1e-8 || visits.length > 100_000) return visits;
    step = rule(at, numbers(g), step);
    at = [at[0] + step[0], at[1] + step[1]];
  }
}

const gradientByHand = (x: number, y: number): Pair => [
  -400 * x * (y - x ** 2) - 2 * (1 - x),
  200 * (y - x ** 2),
];
const hessianByHand = (x: number, y: number): [Pair, Pair] => [
  [1200 * x ** 2 - 400 * y + 2, -400 * x],
  [-400 * x, 200],
];

const runs = Object.entries(rules).map(([name, rule]) => ({ name, visits: descend(rule) }));

console.log("f(x, y) = 100 (y − x²)² + (1 − x)², from (−1.2, 1)\n");
console.log(`  ${"".padEnd(18)}${["step", "x", "y", "f"].map((head) => head.padStart(12)).join("")}`);
for (const { name, visits } of runs) {
  const shown = visits.flatMap((visit, step): [number, Visit][] =>
    name === "Newton" || [0, 10, 100, 1000, 10_000].includes(step) || step === visits.length - 1
      ? [[step, visit]]
      : [],
  );
  shown.forEach(([step, { at, f }], i) => {
    const cells = [String(step), at[0].toFixed(6), at[1].toFixed(6), f.toExponential(3)];
    console.log(`  ${(i === 0 ? name : "").padEnd(18)}${cells.map((cell) => cell.padStart(12)).join("")}`);
  });
}

for (const { name, visits } of runs) {
  // Ours and the derivatives by hand, wherever a path led.
  for (const { at } of visits.slice(0, 1000)) {
    const ours = [...numbers(gradient(...at)), ...hessianAt(...at).flat()];
    const exact = [...gradientByHand(...at), ...hessianByHand(...at).flat()];
    ours.forEach((slope, i) => {
      const wanted = exact[i] as number;
      assert.ok(Math.abs(slope - wanted) <= 1e-13 * Math.max(1, Math.abs(wanted)));
    });
  }
  const [x, y] = (visits.at(-1) as Visit).at;
  assert.ok(Math.hypot(x - 1, y - 1) < 1e-7, name);
}
assert.equal(runs[2]?.visits.length, 7);

/** The level line f = c in the picture: y = x² ± √(c − (1 − x)²)/10 for −1.5 ≤ x and y ≤ 1.75. */
function level(c: number): Pair[] {
  const branch = (sign: 1 | -1) =>
    Array.from({ length: 281 }, (_, i): Pair => {
      const x = -1.5 + i / 100;
      const y = x ** 2 + (sign * Math.sqrt(c - (1 - x) ** 2)) / 10;
      return [x, y <= 1.75 ? y : Number.NaN];
    });
  return [...branch(1), [Number.NaN, Number.NaN], ...branch(-1)];
}

/** A path without the points that stand so close to the one before that nobody would see them. */
function thinned(path: Pair[]): Pair[] {
  let [x, y]: Pair = [Number.NaN, Number.NaN];
  return path.filter((at, step) => {
    const drawn = !(Math.hypot(at[0] - x, at[1] - y) < 0.004) || step === path.length - 1;
    if (drawn) [x, y] = at;
    return drawn;
  });
}

const pictures = new URL("pictures/", import.meta.url);
mkdirSync(pictures, { recursive: true });

const inPlane = (name: string, points: Pair[]) => ({
  name,
  x: points.map(([x]) => x),
  y: points.map(([, y]) => y),
});
const paths = curves({
  title: "Three ways down Rosenbrock's valley",
  x: { label: "x" },
  y: { label: "y" },
  height: 600,
  series: [
    ...runs.map(({ name, visits }) => inPlane(name, thinned(visits.map(({ at }) => at)))),
    inPlane("levels f = 1, 10, 100, 1000", [1, 10, 100, 1000].flatMap(level)),
  ],
});
writeFileSync(new URL("rosenbrock-paths.svg", pictures), paths);

const loss = curves({
  title: "Rosenbrock's function, step by step",
  x: { label: "step" },
  y: { label: "f", scale: "log" },
  series: runs.map(({ name, visits }) => {
    const steps = visits
      .map((_, step) => step)
      .filter((step) => step < 100 || (step <= 4200 && step % 10 === 0));
    return { name, x: steps, y: steps.map((step) => visits[step]?.f as number) };
  }),
});
writeFileSync(new URL("rosenbrock-loss.svg", pictures), loss);
console.log("\nDrawn in docs/examples/pictures/rosenbrock-paths.svg and rosenbrock-loss.svg");
