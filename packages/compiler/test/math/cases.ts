/** The lane functions, what they are held to, and how far they may be off. */

import type { Real } from "./real.ts";
import * as exact from "./real.ts";

export interface Case {
  readonly name: string;
  /** The largest errors allowed in float32 and in float64, in units in the last place. */
  readonly limits: readonly [single: number, double: number];
  readonly exact: (...xs: Real[]) => Real;
  /** Where many arguments are drawn from; others are drawn from all numbers. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** Whether the exact function is defined at a number; everywhere if not stated. */
  readonly domain?: (x: number) => boolean;
}

export const cases: readonly Case[] = [
  {
    name: "exp",
    limits: [1.6, 1.6],
    exact: exact.exp,
    ranges: [
      [-2, 2],
      [-746, 710],
    ],
    domain: (x) => Math.abs(x) < 800,
  },
  {
    name: "expm1",
    limits: [1.7, 1.9],
    exact: exact.expm1,
    ranges: [
      [-2, 2],
      [-40, 710],
    ],
    domain: (x) => Math.abs(x) < 800,
  },
  { name: "log", limits: [0.9, 0.9], exact: exact.log, ranges: [[0.5, 2]], domain: (x) => x > 0 },
  { name: "log1p", limits: [1.5, 1.5], exact: exact.log1p, ranges: [[-1, 2]], domain: (x) => x > -1 },
  {
    name: "sin",
    limits: [2.1, 1.6],
    exact: exact.sin,
    ranges: [
      [-10, 10],
      [-4e5, 4e5],
    ],
  },
  {
    name: "cos",
    limits: [2.1, 1.6],
    exact: exact.cos,
    ranges: [
      [-10, 10],
      [-4e5, 4e5],
    ],
  },
  {
    name: "tanh",
    limits: [1.5, 1.7],
    exact: exact.tanh,
    ranges: [
      [-1, 1],
      [-20, 20],
    ],
    domain: (x) => Math.abs(x) < 800,
  },
];
