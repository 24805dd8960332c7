/** ba: bundle adjustment, the errors of points seen by cameras and their sparse Jacobian. */

import { arange, concat, ones, onesLike, stack, take, type Value, value, vjp, where } from "@adjoint/core";
import { count, field, number, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";
import { cross, dot, minus, plus, scaled, type Vector } from "./vector.ts";

/** What is adjusted: cameras [n, 11], points [m, 3] and weights [p]; and two coordinates for each observation [p, 2]. */
type Scene = {
  readonly cameras: Value;
  readonly points: Value;
  readonly weights: Value;
  readonly features: Value;
};

/** Which camera saw which point, for each observation. */
interface Sightings {
  readonly cameras: Value;
  readonly points: Value;
}

/**
 * The two errors of observations: rotation, centre, focal length, principal point and distortion of the camera that made
 * each, then the point and the weight, as 15 values with one element an observation.
 */
function reprojection(parameters: readonly Value[], features: readonly Value[]): [Value, Value] {
  const [r0, r1, r2, c0, c1, c2, focal, u0, v0, k1, k2, x0, x1, x2, weight] = parameters as FifteenValues;
  const [x, y, z] = rotated([r0, r1, r2], minus([x0, x1, x2], [c0, c1, c2]));
  const [px, py] = [x.div(z), y.div(z)];
  const radius = px.mul(px).add(py.mul(py));
  const distortion = radius.mul(k1).add(radius.mul(radius).mul(k2)).add(1);
  const error = (p: Value, centre: Value, seen: Value) =>
    p.mul(distortion).mul(focal).add(centre).sub(seen).mul(weight);
  return [error(px, u0, features[0] as Value), error(py, v0, features[1] as Value)];
}

type Five<T> = readonly [T, T, T, T, T];
type FifteenValues = readonly [...Five<Value>, ...Five<Value>, ...Five<Value>];

/** Turned about an axis, by its length as an angle. Source: Rodrigues' formula. */
function rotated(r: Vector, x: Vector): Vector {
  const squared = dot(r, r);
  const angle = squared.sqrt();
  const axis: Vector = [r[0].div(angle), r[1].div(angle), r[2].div(angle)];
  const [cos, sin] = [angle.cos(), angle.sin()];
  const along = scaled(axis, dot(axis, x).mul(cos.neg().add(1)));
  const turned = plus(plus(scaled(x, cos), scaled(cross(axis, x), sin)), along);
  const hardly = plus(x, cross(r, x));
  const isTurned = squared.gt(0);
  return [0, 1, 2].map((i) => where(isTurned, turned[i] as Value, hardly[i] as Value)) as unknown as Vector;
}

const weightError = (weights: Value) => weights.square().neg().add(1);

/** The parameters of each observation. */
function parametersOf({ cameras, points, weights }: Scene, seen: Sightings): Value[] {
  const of = (all: Value, which: Value) => all.unstack(1).map((one) => take(one, which));
  return [...of(cameras, seen.cameras), ...of(points, seen.points), weights];
}

/** Two errors an observation [p, 2], and an error of each weight [p]. */
export function errors(scene: Scene, seen: Sightings): { reprojections: Value; weights: Value } {
  const reprojections = reprojection(parametersOf(scene, seen), scene.features.unstack(1));
  return { reprojections: stack(reprojections, 1), weights: weightError(scene.weights) };
}

/** A Jacobian in compressed sparse rows: two rows of 15 entries for each observation, then one of one for each weight. */
type SparseRows = {
  readonly starts: Value;
  readonly columns: Value;
  /** The entries of observations [p, 30] and of weights [p]. */
  readonly observed: Value;
  readonly weighted: Value;
};

/** The Jacobian of all errors. The pattern is of who saw what; entries alone change with the parameters. */
export function jacobian(scene: Scene, seen: Sightings): SparseRows {
  const { weights } = scene;
  const parameters = parametersOf(scene, seen);
  const features = scene.features.unstack(1);
  // An observation depends on nothing but its own 15 parameters, so that one sweep finds a row of each.
  const row = (i: number) =>
    vjp((...own: Value[]) => reprojection(own, features)[i] as Value, ...parameters)[1](onesLike(weights));
  const [weighted] = vjp(weightError, weights)[1](onesLike(weights));
  return { ...patternOf(scene, seen), observed: stack([...row(0), ...row(1)], 1), weighted };
}

/** Columns are in the order of parameters: all cameras, all points, all weights. */
function patternOf({ cameras, points }: Scene, seen: Sightings): { starts: Value; columns: Value } {
  const [cameraOf, pointOf] = [seen.cameras.data, seen.points.data];
  const p = cameraOf.length;
  const firstPoint = cameras.size;
  const firstWeight = firstPoint + points.size;
  const columns = new Int32Array(31 * p);
  for (let i = 0, at = 0; i < p; i++) {
    const camera = 11 * (cameraOf[i] as number);
    const point = firstPoint + 3 * (pointOf[i] as number);
    for (let row = 0; row < 2; row++) {
      for (let k = 0; k < 11; k++) columns[at++] = camera + k;
      for (let k = 0; k < 3; k++) columns[at++] = point + k;
      columns[at++] = firstWeight + i;
    }
    columns[30 * p + i] = firstWeight + i;
  }
  const starts = new Int32Array(3 * p + 1);
  for (let row = 0; row <= 3 * p; row++) starts[row] = row < 2 * p ? 15 * row : 28 * p + row;
  return { starts: value(starts, { copy: false }), columns: value(columns, { copy: false }) };
}

function prepared(input: unknown): { scene: Scene; seen: Sightings } {
  const [n, m, p] = [count(input, "n", 1), count(input, "m", 1), count(input, "p", 1)];
  const repeated = (x: Value, times: number) => x.expandDims(0).tile([times, 1]);
  const scene = {
    cameras: repeated(tensor(input, "cam", 11), n),
    points: repeated(tensor(input, "x", 3), m),
    weights: ones([p]).mul(number(field(input, "w"), "w")),
    features: repeated(tensor(input, "feat", 2), p),
  };
  const places = (n: number) => arange(p).mod(n).cast("int32");
  return { scene, seen: { cameras: places(n), points: places(m) } };
}

export const ba: Problem = {
  objective: (input) => {
    const { scene, seen } = prepared(input);
    return task(
      (scene: Scene) => errors(scene, seen),
      [scene],
      ({ reprojections, weights }) => ({
        reproj_error: { elements: reprojections.slice(0), repeated: weights.size },
        w_err: { element: weights.slice(0), repeated: weights.size },
      }),
    );
  },
  jacobian: (input) => {
    const { scene, seen } = prepared(input);
    return task(
      (scene: Scene) => jacobian(scene, seen),
      [scene],
      ({ starts, columns, observed, weighted }) => {
        const ends = (x: Value, y = x) => concat([x.reshape([-1]).slice([0, 30]), y.slice([-1, null])]);
        return { rows: ends(starts), cols: ends(columns), vals: ends(observed, weighted) };
      },
    );
  },
};
