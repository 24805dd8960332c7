import type { Value } from "@adjoint/core";
import * as core from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { sequence } from "../../seeded.ts";
import { workloads } from "../inputs.ts";
import { gradient, NESTINGS } from "../problems/descent.ts";
import { landing } from "../problems/particle.ts";
import { runnerOf } from "../targets.ts";
import { outputFor } from "./answer.ts";
import { firstDifference } from "./near.ts";
import * as reference from "./references.ts";

const next = sequence(7);
const list = (n: number, low = 0, high = 1) =>
  Array.from({ length: n }, () => low + ((next() + 1) / 2) * (high - low));
const matrix = (rows: number, columns: number, low = 0, high = 1) =>
  Array.from({ length: rows }, () => list(columns, low, high));
const draw = <T>(module: string, place: number): T => workloads[module]?.[place]?.input() as T;

const exact = { relative: 1e-10, absolute: 1e-14 };
const differenced = { relative: 1e-8, absolute: 1e-9 };

for (const target of ["eager", "interpret", "wasm"] as const) {
  const run = await runnerOf(target);
  const output = <T>(module: string, name: string, input: unknown) =>
    outputFor(run, module, name, input) as T;

  describe(`on ${target}`, () => {
    test("llsq and its gradient are those of loops over points and powers", () => {
      const input = { x: list(20), n: 37 };
      const { value, gradient } = reference.llsq(input.x, input.n);
      expect(firstDifference(output("llsq", "primal", input), value, exact)).toBeNull();
      expect(firstDifference(output("llsq", "gradient", input), gradient, exact)).toBeNull();
    });

    test("lse's gradient is softmax in every entry, however small", () => {
      const input = { x: list(20_000) };
      const got = output<number[]>("lse", "gradient", input);
      // The entry of the largest takes what rounding leaves of 1 − Σ.
      const expected = reference.softmax(input.x);
      expect(firstDifference(got, expected, { relative: 1e-10, absolute: 1e-13 })).toBeNull();
      expect(Math.max(...got)).toBeLessThan(2e-4);
    });

    test("det and its gradient are those of elimination, for sizes below and above what is written out", () => {
      for (const ell of [1, 2, 3, 4, 7]) {
        const input = { A: list(ell * ell), ell };
        const { value, gradient } = reference.determinant(input.A, ell);
        expect(firstDifference(output("det", "primal", input), value, exact)).toBeNull();
        expect(firstDifference(output("det", "gradient", input), gradient, exact)).toBeNull();
      }
    });

    test("ode's solution is that of loops, and the gradient of its last element that element over xᵢ", () => {
      for (const steps of [1, 3]) {
        const input = { x: list(4, 0.2, 1.2), s: steps };
        const { solution, gradient } = reference.ode(input.x, steps);
        expect(firstDifference(output("ode", "primal", input), solution, exact)).toBeNull();
        expect(firstDifference(output("ode", "gradient", input), gradient, exact)).toBeNull();
      }
    });

    test("gmm is the sum over points and components, and its gradient that of differences", () => {
      const [d, k, n] = [3, 4, 5];
      const input = {
        ...{ d, k, n, x: matrix(n, d, -2, 2), m: 2, gamma: 0.7, alpha: list(k, -1, 1) },
        ...{ mu: matrix(k, d), q: matrix(k, d, -1, 1), l: matrix(k, 3, -1, 1) },
      };
      const got = output("gmm", "objective", input);
      expect(firstDifference(got, reference.gmm(input), exact)).toBeNull();
      const by = (name: "mu" | "q" | "l") =>
        input[name].map((row, c) =>
          reference.differences((x) => {
            return reference.gmm({ ...input, [name]: input[name].map((old, i) => (i === c ? x : old)) });
          }, row),
        );
      const jacobian = {
        alpha: reference.differences((alpha) => reference.gmm({ ...input, alpha }), input.alpha),
        ...{ mu: by("mu"), q: by("q"), l: by("l") },
      };
      expect(firstDifference(output("gmm", "jacobian", input), jacobian, differenced)).toBeNull();
    });

    test("kmeans goes to the means", () => {
      const points = matrix(200, 5);
      const input = { points, centroids: points.slice(-7) };
      const { cost, dir } = reference.kmeans(points, input.centroids);
      expect(firstDifference(output("kmeans", "cost", input), cost, exact)).toBeNull();
      expect(firstDifference(output("kmeans", "dir", input), dir, exact)).toBeNull();
    });

    test("lstm is what loops over time and layers give, and its gradient that of differences", () => {
      const [layers, bits] = [2, 3];
      const input = {
        main_params: matrix(2 * layers, 4 * bits, -1, 1),
        extra_params: matrix(3, bits, -1, 1),
        state: matrix(2 * layers, bits, -1, 1),
        sequence: matrix(9, bits).map((row) => row.map(Math.round)),
      };
      const rows = (flat: readonly number[], width: number) =>
        Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));
      const size = 8 * layers * bits;
      const loss = (flat: readonly number[]) =>
        reference.lstm(
          rows(flat.slice(0, size), 4 * bits),
          rows(flat.slice(size), bits),
          input.state,
          input.sequence,
        );
      const flat = [...input.main_params, ...input.extra_params].flat();
      expect(firstDifference(output("lstm", "objective", input), loss(flat), exact)).toBeNull();
      const gradient = reference.differences(loss, flat);
      expect(firstDifference(output("lstm", "jacobian", input), gradient, differenced)).toBeNull();
    });

    test("ba's errors and rows are those of one observation, a camera that is not turned included", () => {
      const camera = [0.3, -0.2, 0.5, 30, 40, 50, 420, 3, -4, 0.05, 0.01];
      for (const cam of [camera, [0, 0, 0, ...camera.slice(3)]]) {
        const input = { n: 2, m: 2, p: 3, cam, x: [1, 2, 3], w: 0.4, feat: [250, 300] };
        const parameters = [...cam, ...input.x, input.w];
        const elements = reference.reprojection(parameters, input.feat);
        const objective = {
          reproj_error: { elements, repeated: 3 },
          w_err: { element: 1 - 0.4 ** 2, repeated: 3 },
        };
        expect(firstDifference(output("ba", "objective", input), objective, exact)).toBeNull();
        const vals = [0, 1].flatMap((k) =>
          reference.differences((x) => reference.reprojection(x, input.feat)[k] as number, parameters),
        );
        const got = output<{ rows: number[]; cols: number[]; vals: number[] }>("ba", "jacobian", input);
        expect(firstDifference(got.vals, [...vals, -0.8], { relative: 1e-7, absolute: 1e-7 })).toBeNull();
        const row = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 22, 23, 24, 28];
        expect(got.cols).toEqual([...row, ...row, 30]);
        expect(got.rows).toEqual([0, 15, 30, 45, 60, 75, 90, 91, 92, 93, 93]);
      }
    });

    test("particle's flight and its derivative are those of a loop, in all nestings of modes", () => {
      for (const [outer, inner] of Object.values(NESTINGS)) {
        const fly = (w: Value) => [landing(w, inner), gradient((w) => landing(w, inner), outer)(w)];
        for (const w of [0, 0.2]) {
          const [value, derivative] = run(fly as never)(core.value(w)) as [Value, Value];
          const expected = reference.landing(w);
          expect(firstDifference(value.item(), expected.value, { relative: 1e-10 })).toBeNull();
          expect(firstDifference(derivative.item(), expected.derivative, { relative: 1e-10 })).toBeNull();
        }
      }
    });

    test("ht's errors are those of loops over vertices and bones, and its Jacobian that of differences", () => {
      const drawn = draw<reference.Hand>("ht", 0);
      const { data } = drawn;
      const few = { ...data, correspondences: [3, 0, 7, 7], points: data.points.slice(0, 4) };
      const vertices = 40;
      const model = {
        ...data.model,
        bone_count: 22,
        base_positions: data.model.base_positions.slice(0, vertices),
        weights: data.model.weights.slice(0, vertices),
        triangles: data.model.triangles.slice(0, 9).map((corners) => corners.map((v) => v % vertices)),
      };
      const turned = { ...drawn, us: drawn.us.slice(0, 4), data: { ...few, model } };
      const mirrored = { ...turned, data: { ...few, model: { ...model, is_mirrored: true } } };
      const straight = { ...turned, theta: [0, 0, 0, ...drawn.theta.slice(3)] };
      for (const input of [turned, mirrored, straight, { ...turned, us: [] }]) {
        const errors = reference.ht(input);
        expect(firstDifference(output("ht", "objective", input), errors, exact)).toBeNull();
        const got = output<number[][]>("ht", "jacobian", input);
        const columns = input.us.length === 0 ? 26 : 28;
        expect([got.length, got[0]?.length]).toEqual([12, columns]);
        // At no rotation the function has a step: the rotation's own columns are not differences there.
        const first = input === straight ? 3 : 0;
        errors.forEach((_, i) => {
          const byTheta = reference.differences(
            (t) => reference.ht({ ...input, theta: t })[i] as number,
            input.theta,
          );
          const shares = input.us[Math.floor(i / 3)] ?? [];
          const byShare = reference.differences((u) => {
            const us = input.us.map((own, p) => (p === Math.floor(i / 3) ? u : own));
            return reference.ht({ ...input, us })[i] as number;
          }, shares);
          const row = (got[i] as number[]).slice(columns - 26 + first);
          expect(firstDifference(row, byTheta.slice(first), differenced)).toBeNull();
          expect(
            firstDifference((got[i] as number[]).slice(0, columns - 26), byShare, differenced),
          ).toBeNull();
        });
      }
    });
  });
}
