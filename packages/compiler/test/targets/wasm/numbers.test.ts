/** Lanes in WebAssembly give the bits of lanes that are JavaScript numbers. */

import { random } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { laneFunctions } from "../../../src/math/functions.ts";
import type { Lanes } from "../../../src/math/lanes.ts";
import { numberLanes } from "../../../src/math/number-lanes.ts";
import { type Local, ModuleBuilder } from "../../../src/targets/wasm/assembler.ts";
import { engine } from "../../../src/targets/wasm/engine.ts";
import { WasmLanes, type Width } from "../../../src/targets/wasm/numbers.ts";
import { Pool } from "../../../src/targets/wasm/pool.ts";

type Float = "float32" | "float64";

const POOL = 64;
const START = 8192;
const ARRAYS = { float32: Float32Array, float64: Float64Array } as const;

/** A function of lanes: a number, or a mask as 1 and 0. */
type OfLanes = <T, M>(xs: readonly T[], m: Lanes<T, M>) => T;

/** The function at many points in WebAssembly, some lanes at a time. */
function inWasm(f: OfLanes, dtype: Float, width: Width, points: readonly (readonly number[])[]): number[] {
  const [first = []] = points;
  const bytes = dtype === "float32" ? 4 : 8;
  const count = Math.ceil(points.length / width) * width;
  const module = new ModuleBuilder();
  const pool = new Pool(POOL);
  module.importMemory("host", "memory", { minimum: 1 });
  module.define(
    "run",
    [],
    [],
    (w) => {
      const m = new WasmLanes({ f: w, pool, fused: false }, dtype, width);
      const scalar = dtype === "float32" ? "f32" : "f64";
      const at = w.local("i32");
      w.loop((head) => {
        const xs = first.map((_, k): Local => {
          const x = w.local(width === 1 ? scalar : "v128");
          const start = START + (k + 1) * count * bytes;
          w.get(at);
          w.load(width === 1 ? `${scalar}.load` : "v128.load", start).set(x);
          return x;
        });
        const y = f(xs, m);
        w.get(at).get(y);
        w.store(width === 1 ? `${scalar}.store` : "v128.store", START);
        w.get(at)
          .i32(width * bytes)
          .op("i32.add")
          .tee(at);
        w.i32(count * bytes)
          .op("i32.lt_u")
          .branchIf(head);
      });
    },
    { exported: true },
  );
  const size = START + (first.length + 1) * count * bytes;
  const memory = new engine.Memory({ initial: Math.ceil(size / 65536) });
  pool.write(memory.buffer as ArrayBuffer);
  const array = (k: number) =>
    new ARRAYS[dtype](memory.buffer as ArrayBuffer, START + k * count * bytes, count);
  for (const [k] of first.entries()) array(k + 1).set(points.map((xs) => xs[k] as number));
  const { exports } = new engine.Instance(new engine.Module(module.toBytes()), { host: { memory } });
  (exports["run"] as () => void)();
  return Array.from(array(0).subarray(0, points.length));
}

/** What is special about a dtype, and what lies beside it. */
const SPECIAL = {
  float32: [2 ** -149, 2 ** -126 - 2 ** -149, 2 ** -126, 2 ** 23, 2 ** 24, 3.4028234663852886e38],
  float64: [2 ** -1074, 2 ** -1022 - 2 ** -1074, 2 ** -1022, 2 ** 52, 2 ** 53, Number.MAX_VALUE],
} as const;

/** Ordinary numbers, numbers of all sizes, and special ones. */
function pointsOf(dtype: Float, arity: number, count: number): number[][] {
  const round = numberLanes(dtype, false).constant;
  const special = [0, ...SPECIAL[dtype], 0.5, 1, 1.5, 2, 2.5, Math.PI, 87, 88.72, 709, 710, 1e5, Infinity];
  const all = [...special.flatMap((x) => [x, -x]), NaN];
  const ends = dtype === "float32" ? [-149, 128] : [-1074, 1024];
  const key = random.key(arity);
  const draw = (k: number, low: number, high: number) =>
    random.uniform(random.fold(key, k), [count], { low, high, dtype: "float64" }).data;
  const columns = Array.from({ length: arity }, (_, k) => {
    const [kinds, digits, exponents] = [
      draw(3 * k, 0, 4),
      draw(3 * k + 1, -2, 2),
      draw(3 * k + 2, ...(ends as [number, number])),
    ];
    return Array.from({ length: count }, (_, i) => {
      const [kind, x] = [Math.floor(kinds[i] as number), digits[i] as number];
      if (kind === 0) return round(x * 2 ** Math.floor(exponents[i] as number));
      return round(kind === 1 ? x : kind === 2 ? 50 * x : x * 2 ** ((exponents[i] as number) / 8));
    });
  });
  const drawn = Array.from({ length: count }, (_, i) => columns.map((column) => column[i] as number));
  const pairs = arity === 1 ? all.map((x) => [x]) : all.flatMap((x) => all.map((y) => [x, y, -x, y]));
  return [...pairs.map((xs) => xs.slice(0, arity).map(round)), ...drawn];
}

/** The first point at which two lists differ in their bits; of NaN there is one. */
function difference(
  actual: readonly number[],
  expected: readonly number[],
  points: readonly unknown[],
): string | null {
  const i = expected.findIndex((y, k) => !Object.is(y, actual[k]));
  return i < 0 ? null : `at ${points[i]}: ${actual[i]} for ${expected[i]}`;
}

const told =
  (compare: <T, M>(xs: readonly T[], m: Lanes<T, M>) => M): OfLanes =>
  (xs, m) =>
    m.select(compare(xs, m), m.constant(1), m.constant(0));

/** An instruction as a function, and where it is specified. */
interface Instruction {
  readonly name: string;
  readonly arity: number;
  readonly f: OfLanes;
  readonly domain: (x: number, dtype: Float) => boolean;
}

const LEAST_EXPONENT = { float32: -126, float64: -1022 } as const;
const everywhere = () => true;
const isNormal = (x: number, dtype: Float) =>
  Math.abs(x) >= 2 ** LEAST_EXPONENT[dtype] && Math.abs(x) < Infinity;
const isExponent = (x: number, dtype: Float) =>
  Number.isInteger(x) && x >= LEAST_EXPONENT[dtype] && x < 2 - LEAST_EXPONENT[dtype];

const INSTRUCTIONS: readonly Instruction[] = [
  ...(["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"] as const).map((name) => ({
    name,
    arity: 1,
    f: <T, M>(xs: readonly T[], m: Lanes<T, M>) => m[name](xs[0] as T),
    domain: everywhere,
  })),
  ...(["add", "sub", "mul", "div", "min", "max", "atMost", "atLeast", "copySign"] as const).map((name) => ({
    name,
    arity: 2,
    f: <T, M>(xs: readonly T[], m: Lanes<T, M>) => m[name](xs[0] as T, xs[1] as T),
    domain: everywhere,
  })),
  ...(["eq", "lt", "le"] as const).map((name) => ({
    name,
    arity: 2,
    f: told((xs, m) => m[name](xs[0] as never, xs[1] as never)),
    domain: everywhere,
  })),
  {
    name: "madd",
    arity: 3,
    f: (xs, m) => m.madd(xs[0] as never, xs[1] as never, xs[2] as never),
    domain: everywhere,
  },
  {
    name: "select",
    arity: 3,
    f: (xs, m) => m.select(m.lt(xs[0] as never, xs[1] as never), xs[2] as never, xs[0] as never),
    domain: everywhere,
  },
  {
    name: "and, or and not",
    arity: 3,
    f: told((xs, m) => {
      const [a, b, c] = xs as [never, never, never];
      return m.or(m.and(m.lt(a, b), m.not(m.eq(b, c))), m.not(m.or(m.lt(c, a), m.le(b, c))));
    }),
    domain: everywhere,
  },
  {
    name: "constants",
    arity: 1,
    f: (xs, m) => m.div(m.add(xs[0] as never, m.constant(0.1)), m.constant(-0)),
    domain: everywhere,
  },
  { name: "exponent", arity: 1, f: (xs, m) => m.exponent(xs[0] as never), domain: isNormal },
  {
    name: "significand",
    arity: 1,
    f: (xs, m) => m.significand(xs[0] as never),
    domain: (x, dtype) => x > 0 && isNormal(x, dtype),
  },
  { name: "power2", arity: 1, f: (xs, m) => m.power2(xs[0] as never), domain: isExponent },
];

describe.each([
  ["float32", 1],
  ["float32", 4],
  ["float64", 1],
  ["float64", 2],
] as const)("lanes of %s in WebAssembly, %i at a time,", (dtype, width) => {
  const lanes = numberLanes(dtype, false);

  test.each(INSTRUCTIONS)("compute $name", ({ arity, f, domain }) => {
    const whole = Array.from({ length: 3000 }, (_, i) => [i - 1500]);
    const drawn = [...pointsOf(dtype, arity, 2000), ...(arity === 1 ? whole : [])];
    const points = drawn.filter((xs) => xs.every((x) => domain(x, dtype)));
    expect(points.length).toBeGreaterThan(200);
    const expected = points.map((xs) => f(xs, lanes));
    expect(difference(inWasm(f, dtype, width, points), expected, points)).toBeNull();
  });

  test.each([...laneFunctions.values()])("compute $name where it is covered", ({ arity, fast, covers }) => {
    const points = pointsOf(dtype, arity, 20_000);
    const isCovered: OfLanes =
      covers === null ? (_, m) => m.constant(1) : told((xs, m) => covers(xs, m as never) as never);
    const covered = points.map((xs) => isCovered(xs, lanes));
    expect(difference(inWasm(isCovered, dtype, width, points), covered, points)).toBeNull();
    const inside = points.filter((_, i) => covered[i] === 1);
    expect(inside.length).toBeGreaterThan(5000);
    const expected = inside.map((xs) => fast(xs, lanes));
    expect(difference(inWasm(fast, dtype, width, inside), expected, inside)).toBeNull();
  });
});
