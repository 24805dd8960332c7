/** Vectors in space whose components are values: numbers, or as many as there are vectors. */

import type { Value } from "@adjoint/core";

export type Vector = readonly [Value, Value, Value];

export const plus = (a: Vector, b: Vector): Vector => [a[0].add(b[0]), a[1].add(b[1]), a[2].add(b[2])];

export const minus = (a: Vector, b: Vector): Vector => [a[0].sub(b[0]), a[1].sub(b[1]), a[2].sub(b[2])];

export const scaled = (a: Vector, by: Value): Vector => [a[0].mul(by), a[1].mul(by), a[2].mul(by)];

export const dot = (a: Vector, b: Vector): Value => a[0].mul(b[0]).add(a[1].mul(b[1])).add(a[2].mul(b[2]));

export const cross = (a: Vector, b: Vector): Vector => [
  a[1].mul(b[2]).sub(a[2].mul(b[1])),
  a[2].mul(b[0]).sub(a[0].mul(b[2])),
  a[0].mul(b[1]).sub(a[1].mul(b[0])),
];
