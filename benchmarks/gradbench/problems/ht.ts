/** ht: hand tracking, the distances of points from the surface of a hand with bones. */

import {
  concat,
  cos,
  einsum,
  eye,
  jacobian,
  jvp,
  matmul,
  onesLike,
  sin,
  sqrt,
  stack,
  sum,
  take,
  type Value,
  value,
  where,
  zerosLike,
} from "@adjoint/core";
import { count, field, indices, list, shaped, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** How a hand is built: the bone that each bone hangs on, or −1, and whether it is the other hand. */
interface Build {
  readonly parents: readonly number[];
  readonly isMirrored: boolean;
}

/** A hand of bones and vertices, and points that it is to touch. */
type Hand = {
  /** [bones, 4, 4] */
  readonly relatives: Value;
  readonly inverses: Value;
  /** Homogeneous, [vertices, 4]. */
  readonly positions: Value;
  /** [vertices, bones] */
  readonly weights: Value;
  readonly points: Value;
  /** The vertices whose mean each point should be at, [points, 1] or [points, 3]. */
  readonly corners: Value;
};

/** Which of theta, and then 0 and 1, is each of the 25 × 3 parameters of the pose. */
const POSE: readonly (readonly number[])[] = (() => {
  const [zero, one] = [26, 27];
  const pose = Array.from({ length: 25 }, () => [zero, zero, zero]);
  pose[0] = [0, 1, 2];
  pose[1] = [one, one, one];
  pose[2] = [3, 4, 5];
  let next = 6;
  for (let finger = 0; finger < 5; finger++) {
    const knuckle = 5 + 4 * finger;
    pose[knuckle] = [next++, next++, zero];
    pose[knuckle + 1] = [next++, zero, zero];
    pose[knuckle + 2] = [next++, zero, zero];
  }
  return pose;
})();

/** The error of each point [points, 3]; `shares` [points, 2] are of its first two corners. */
export function errors(theta: Value, shares: Value | null, hand: Hand, build: Build): Value {
  const pose = take(concat([theta, [0, 1]]), value(POSE, { dtype: "int32" }));
  const [turn, scale, shift] = [pose.slice(0), pose.slice(1), pose.slice(2)];
  const skinned = einsum(
    "vb,bij,vj->vi",
    hand.weights,
    transforms(pose.slice([3, null]), hand, build).slice(null, [0, 3]),
    hand.positions,
  );
  const mirrored = build.isMirrored ? skinned.mul([-1, 1, 1]) : skinned;
  const vertices = matmul(mirrored, axisRotation(turn).mul(scale), { transposeB: true }).add(shift);

  const corners = take(vertices, hand.corners, 0);
  if (shares === null) return hand.points.sub(corners.slice(null, 0));
  const all = concat([shares, shares.sum(1, { keepDims: true }).neg().add(1)], 1);
  return hand.points.sub(corners.mul(all.expandDims(2)).sum(1));
}

/** From each bone's base to where its pose (x, z and y angle) and its parents' bring it, [bones, 4, 4]. */
function transforms(angles: Value, { relatives, inverses }: Hand, { parents }: Build): Value {
  const own = matmul(relatives, rotations(angles)).unstack();
  const absolutes: Value[] = [];
  own.forEach((relative, bone) => {
    const parent = absolutes[parents[bone] as number];
    absolutes.push(parent === undefined ? relative : matmul(parent, relative));
  });
  return matmul(stack(absolutes), inverses);
}

/** R_z R_y R_x for each row of x, z and y angles, [bones, 4, 4]. */
function rotations(angles: Value): Value {
  const [cx, cz, cy] = cos(angles).unstack(1) as [Value, Value, Value];
  const [sx, sz, sy] = sin(angles).unstack(1) as [Value, Value, Value];
  const [zero, one] = [zerosLike(cx), onesLike(cx)];
  const matrix = (entries: readonly Value[]) => stack(entries, 1).reshape([-1, 4, 4]);
  const about = [
    matrix([cz, sz.neg(), zero, zero, sz, cz, zero, zero, zero, zero, one, zero, zero, zero, zero, one]),
    matrix([cy, zero, sy, zero, zero, one, zero, zero, sy.neg(), zero, cy, zero, zero, zero, zero, one]),
    matrix([one, zero, zero, zero, zero, cx, sx.neg(), zero, zero, sx, cx, zero, zero, zero, zero, one]),
  ];
  return about.reduce((product, next) => matmul(product, next));
}

/** The rotation about a vector by its length, [3, 3]; none where that is below 1e-4. */
function axisRotation(turn: Value): Value {
  const squared = sum(turn.square());
  const isTurned = squared.ge(1e-8);
  const angle = sqrt(where(isTurned, squared, 1));
  const [x, y, z] = turn.div(angle).unstack() as [Value, Value, Value];
  const zero = zerosLike(x);
  const skew = stack([zero, z.neg(), y, z, zero, x.neg(), y.neg(), x, zero]).reshape([3, 3]);
  const rotation = skew.mul(sin(angle)).add(matmul(skew, skew).mul(cos(angle).neg().add(1)));
  return where(isTurned, rotation, 0).add(eye(3));
}

/** The Jacobian of the errors by theta, after that by each point's own shares where there are some: [3·points, 26 or 28]. */
export function errorJacobian(theta: Value, shares: Value | null, hand: Hand, build: Build): Value {
  const byTheta = jacobian((t) => errors(t, shares, hand, build), { mode: "forward" })(theta);
  const rows = (x: Value) => x.reshape([hand.points.size, -1]);
  if (shares === null) return rows(byTheta);
  // A point's error has no other's share in it: one direction serves all points.
  const byShare = [0, 1].map((k) => {
    const direction = onesLike(shares).mul(k === 0 ? [1, 0] : [0, 1]);
    return jvp((u: Value) => errors(theta, u, hand, build), [shares], [direction])[1];
  });
  return concat([...byShare.map(rows), rows(byTheta)], 1);
}

function prepared(input: unknown): { build: Build; args: [Value, Value | null, Hand] } {
  const data = field(input, "data");
  const model = field(data, "model");
  const bones = count(model, "bone_count", 1);
  const positions = tensor(model, "base_positions", null, 4);
  const vertices = positions.shape[0] as number;
  const points = tensor(data, "points", null, 3);
  const us = list(field(input, "us"), "us");
  const isSimple = us.length === 0;
  const triangles = list(field(model, "triangles"), "triangles");
  const surface = isSimple ? vertices : triangles.length;
  const touched = indices(field(data, "correspondences"), "correspondences", 0, surface);
  const corners = Array.from(touched, (i) =>
    isSimple ? [i] : Array.from(indices(triangles[i], `triangles[${i}]`, 0, vertices)),
  );
  const hand: Hand = {
    relatives: tensor(model, "base_relatives", bones, 4, 4),
    inverses: tensor(model, "inverse_base_absolutes", bones, 4, 4),
    positions,
    weights: tensor(model, "weights", vertices, bones),
    points,
    corners: value(corners, { dtype: "int32" }),
  };
  const parents = Array.from(indices(field(model, "parents"), "parents", -1, bones));
  return {
    build: { parents, isMirrored: field(model, "is_mirrored") === true },
    args: [
      tensor(input, "theta", 26),
      isSimple ? null : shaped(us, "us", points.shape[0] as number, 2),
      hand,
    ],
  };
}

export const ht: Problem = {
  objective: (input) => {
    const { build, args } = prepared(input);
    const f = (theta: Value, shares: Value | null, hand: Hand) =>
      errors(theta, shares, hand, build).reshape([-1]);
    return { ...task(f, args), readsInput: true };
  },
  jacobian: (input) => {
    const { build, args } = prepared(input);
    const f = (theta: Value, shares: Value | null, hand: Hand) => errorJacobian(theta, shares, hand, build);
    return { ...task(f, args), readsInput: true };
  },
};
