/** kmeans: a Newton step of the k-means cost. */

import { argmin, expandDims, grad, jvp, onesLike, square, sum, take, type Value } from "@adjoint/core";
import { tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** Σᵢ minⱼ ‖centroidⱼ − pointᵢ‖²: no derivative flows to the distances that are not the least. */
export function cost(centroids: Value, points: Value): Value {
  const distances = square(centroids.sub(expandDims(points, 1))).sum(2);
  const nearest = take(centroids, argmin(distances, 1), 0);
  return sum(square(nearest.sub(points)));
}

/** The gradient over the Hessian's diagonal, which is the Hessian times ones: it has no other entries. */
export function direction(centroids: Value, points: Value): Value {
  const gradient = (c: Value) => grad(cost)(c, points);
  const [first, second] = jvp(gradient, [centroids], [onesLike(centroids)]);
  return first.div(second);
}

const args = (input: unknown): [Value, Value] => {
  const points = tensor(input, "points", null, null);
  return [tensor(input, "centroids", null, points.shape[1] as number), points];
};

export const kmeans: Problem = {
  cost: (input) => task(cost, args(input)),
  dir: (input) => task(direction, args(input)),
};
