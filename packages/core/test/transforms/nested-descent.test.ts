/**
 * Descents within descents, in all four combinations of modes: the classic problems of nested differentiation.
 *
 * Source: Pearlmutter & Siskind, Using Programming Language Theory to Make Automatic Differentiation Sound and
 * Efficient (2008); the expected numbers are GradBench's.
 */

import { grad, jvp, type Value, value } from "@adjoint/core";
import { describe, expect, test } from "vitest";

type F = (x: Value[]) => Value;
type Gradient = (f: F) => (x: Value[]) => Value[];

const reverse: Gradient = (f) => (x) => grad((x: Value[]) => f(x))(x) as Value[];
const forward: Gradient = (f) => (x) =>
  x.map((_, i) => jvp((x: Value[]) => f(x), [x], [x.map((_, k) => (k === i ? 1 : 0))])[1]);

const norm = (x: readonly Value[]) => Math.sqrt(x.reduce((sum, c) => sum + c.item() ** 2, 0));

/** Gradient descent whose step doubles after ten successes and halves at each failure. */
function argmin(f: F, start: Value[], gradient: Gradient): Value[] {
  let x = start;
  let fx = f(x);
  let g = gradient(f)(x);
  let eta = 1e-5;
  let i = 0;
  for (;;) {
    if (norm(g) <= 1e-5) return x;
    if (i === 10) {
      eta *= 2;
      i = 0;
      continue;
    }
    const next = x.map((c, k) => c.sub((g[k] as Value).mul(eta)));
    if (norm(next.map((c, k) => c.sub(x[k] as Value))) <= 1e-5) return x;
    const f2 = f(next);
    if (f2.item() < fx.item()) {
      x = next;
      fx = f2;
      g = gradient(f)(x);
      i++;
    } else {
      eta /= 2;
      i = 0;
    }
  }
}

const argmax = (f: F, start: Value[], gradient: Gradient) => argmin((x) => f(x).neg(), start, gradient);

const modes: [string, Gradient, Gradient][] = [
  ["reverse over reverse", reverse, reverse],
  ["reverse over forward", reverse, forward],
  ["forward over reverse", forward, reverse],
  ["forward over forward", forward, forward],
];

describe("saddle: a minimum over x of the maximum over y", () => {
  test.each(modes)("%s", { timeout: 60_000 }, (_name, outer, inner) => {
    const f = (x: Value[], y: Value[]) => {
      const [a, b, c, d] = [...x, ...y].map((z) => z.square()) as [Value, Value, Value, Value];
      return a.add(b).sub(c.add(d));
    };
    const start = () => [value(1), value(1)];
    const r1 = argmin(
      (x) =>
        f(
          x,
          argmax((y) => f(x, y), start(), inner),
        ),
      start(),
      outer,
    );
    const r2 = argmax((y) => f(r1, y), start(), outer);
    for (const r of [...r1, ...r2]) expect(r.item()).toBeCloseTo(8.246324826140356e-6, 15);
  });
});

describe("particle: where to put a charge so that a particle lands at the origin", () => {
  /** The square of where a particle lands that two charges repel, by Euler steps; the force by differentiation. */
  const missed =
    (inner: Gradient): F =>
    ([w]) => {
      const charges = [
        [value(10), (w as Value).neg().add(10)],
        [value(10), value(0)],
      ] as [Value, Value][];
      const potential: F = ([px, py]) =>
        charges
          .map(([cx, cy]) =>
            (px as Value)
              .sub(cx)
              .square()
              .add((py as Value).sub(cy).square())
              .sqrt()
              .pow(-1),
          )
          .reduce((a, b) => a.add(b));
      let x: Value[] = [value(0), value(8)];
      let v: Value[] = [value(0.75), value(0)];
      for (;;) {
        const force = inner(potential)(x);
        x = x.map((c, k) => c.add((v[k] as Value).mul(0.1)));
        const [x0, x1] = x as [Value, Value];
        if (x1.item() <= 0) {
          const [v0, v1] = v as [Value, Value];
          return x0.sub(x1.div(v1).mul(v0)).square();
        }
        v = v.map((c, k) => c.sub((force[k] as Value).mul(0.1)));
      }
    };

  test("its descent ends where it should", { timeout: 60_000 }, () => {
    // Near the solution, so that a test takes a second: the whole descent begins at 0.
    const [w] = argmin(missed(reverse), [value(0.2)], reverse) as [Value];
    expect(w.item()).toBeCloseTo(0.2071918746486116, 4);
  });

  test.each(modes)("%s", { timeout: 60_000 }, (_name, outer, inner) => {
    const slope = (outer(missed(inner))([value(0.1)])[0] as Value).item();
    expect(slope).toBeCloseTo(reference, 7);
    first ??= slope;
    expect(slope).toBeCloseTo(first, 12);
  });

  let first: number | undefined;
  const reference = (() => {
    const f = (w: number) => missed(reverse)([value(w)]).item();
    const [h, k] = [1e-4, 5e-5];
    const coarse = (f(0.1 + h) - f(0.1 - h)) / (2 * h);
    const fine = (f(0.1 + k) - f(0.1 - k)) / (2 * k);
    return (4 * fine - coarse) / 3;
  })();
});
