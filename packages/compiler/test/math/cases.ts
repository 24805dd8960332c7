/** The lane functions, what they are held to, and how far they may be off. */

import type { Real } from "./real.ts";
import * as exact from "./real.ts";

type Range = readonly [from: number, to: number];

export interface Case {
  readonly name: string;
  readonly exact: (...xs: Real[]) => Real;
  /** The largest errors allowed in float32 and in float64, in units in the last place. */
  readonly limits: readonly [single: number, double: number];
  /** Where many arguments are drawn from, each range as often; others are drawn from all numbers. */
  readonly ranges: readonly Range[] | readonly (readonly [Range, Range])[];
  /** Whether the exact function can be computed; everywhere if not stated. */
  readonly domain?: (x: number, y: number) => boolean;
}

const positive = (x: number): boolean => x > 0;
const moderate = (x: number): boolean => Math.abs(x) < 1100;
const inside = (x: number): boolean => Math.abs(x) < 1;

export const cases: readonly Case[] = [
  {
    name: "exp",
    exact: exact.exp,
    limits: [1.6, 1.6],
    ranges: [
      [-2, 2],
      [-746, 710],
    ],
    domain: moderate,
  },
  {
    name: "exp2",
    exact: exact.exp2,
    limits: [1.1, 1.1],
    ranges: [
      [-2, 2],
      [-1080, 1025],
    ],
    domain: moderate,
  },
  {
    name: "expm1",
    exact: exact.expm1,
    limits: [1.7, 2],
    ranges: [
      [-2, 2],
      [-40, 710],
    ],
    domain: moderate,
  },
  { name: "log", exact: exact.log, limits: [0.9, 0.9], ranges: [[0.5, 2]], domain: positive },
  { name: "log2", exact: exact.log2, limits: [0.9, 0.9], ranges: [[0.5, 2]], domain: positive },
  { name: "log10", exact: exact.log10, limits: [0.8, 0.8], ranges: [[0.5, 2]], domain: positive },
  { name: "log1p", exact: exact.log1p, limits: [1.4, 1.4], ranges: [[-1, 2]], domain: (x) => x > -1 },
  {
    name: "pow",
    exact: exact.pow,
    limits: [1.2, 1.4],
    ranges: [
      [
        [0, 5],
        [-10, 10],
      ],
      [
        [0.99, 1.01],
        [-9e3, 9e3],
      ],
      [
        [0, 1e9],
        [-10, 10],
      ],
    ],
    domain: (x, y) => x > 0 && Math.abs(y * Math.log2(x)) < 1100,
  },
  { name: "cbrt", exact: exact.cbrt, limits: [1, 1], ranges: [[0, 10]] },
  {
    name: "hypot",
    exact: exact.hypot,
    limits: [1.2, 1.2],
    ranges: [
      [
        [-2, 2],
        [-2, 2],
      ],
      [
        [-1e4, 1e4],
        [-2, 2],
      ],
    ],
  },
  {
    name: "erf",
    exact: exact.erf,
    limits: [1.4, 1.5],
    ranges: [
      [-1, 1],
      [-6, 6],
    ],
    domain: (x) => Math.abs(x) < 7,
  },
  {
    name: "erfc",
    exact: exact.erfc,
    limits: [2, 2],
    ranges: [
      [-2, 2],
      [0, 10],
      [0, 27.3],
    ],
    domain: (x) => Math.abs(x) < 27.3,
  },
  {
    name: "sin",
    exact: exact.sin,
    limits: [1.6, 1.6],
    ranges: [
      [-10, 10],
      [-6400, 6400],
      [-4e5, 4e5],
    ],
  },
  {
    name: "cos",
    exact: exact.cos,
    limits: [1.6, 1.6],
    ranges: [
      [-10, 10],
      [-6400, 6400],
      [-4e5, 4e5],
    ],
  },
  {
    name: "tan",
    exact: exact.tan,
    limits: [1.4, 1.3],
    ranges: [
      [-10, 10],
      [-6400, 6400],
      [-4e5, 4e5],
    ],
  },
  { name: "asin", exact: exact.asin, limits: [1.4, 1.7], ranges: [[-1, 1]], domain: inside },
  { name: "acos", exact: exact.acos, limits: [1.2, 1.3], ranges: [[-1, 1]], domain: inside },
  { name: "atan", exact: exact.atan, limits: [1.6, 1.8], ranges: [[-3, 3]] },
  {
    name: "atan2",
    exact: exact.atan2,
    limits: [1.5, 1.6],
    ranges: [
      [
        [-2, 2],
        [-2, 2],
      ],
    ],
    domain: (x, y) => x !== 0 && y !== 0,
  },
  {
    name: "sinh",
    exact: exact.sinh,
    limits: [1.7, 1.7],
    ranges: [
      [-2, 2],
      [-711, 711],
    ],
    domain: moderate,
  },
  {
    name: "cosh",
    exact: exact.cosh,
    limits: [1.5, 1.5],
    ranges: [
      [-2, 2],
      [-711, 711],
    ],
    domain: moderate,
  },
  {
    name: "tanh",
    exact: exact.tanh,
    limits: [1.4, 1.7],
    ranges: [
      [-1, 1],
      [-20, 20],
    ],
    domain: moderate,
  },
  { name: "asinh", exact: exact.asinh, limits: [1.8, 1.7], ranges: [[-2, 2]] },
  {
    name: "acosh",
    exact: exact.acosh,
    limits: [1.9, 2],
    ranges: [
      [1, 2],
      [1, 100],
    ],
    domain: (x) => x >= 1,
  },
  { name: "atanh", exact: exact.atanh, limits: [1.7, 1.7], ranges: [[-1, 1]], domain: inside },
  {
    name: "sigmoid",
    exact: exact.sigmoid,
    limits: [1.8, 1.8],
    ranges: [
      [-20, 20],
      [-760, 10],
    ],
    domain: moderate,
  },
  {
    name: "silu",
    exact: exact.silu,
    limits: [1.8, 1.8],
    ranges: [
      [-20, 20],
      [-760, 10],
    ],
    domain: moderate,
  },
  {
    name: "softplus",
    exact: exact.softplus,
    limits: [1.6, 1.5],
    ranges: [
      [-20, 20],
      [-760, 10],
    ],
    domain: moderate,
  },
  {
    name: "mod",
    exact: exact.mod,
    limits: [0.51, 0.51],
    ranges: [
      [
        [-9, 9],
        [-2, 2],
      ],
      [
        [-1e3, 1e3],
        [-9, 9],
      ],
    ],
    domain: (_x, y) => y !== 0,
  },
];
