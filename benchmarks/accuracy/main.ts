/**
 * The largest errors of compiled functions in units in the last place, as a table: `npm run bench:accuracy -- --help`.
 *
 * Exact results are those of GCC's libquadmath, to 64 binary digits for float32 and 113 for float64.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, type TargetName } from "@adjoint/compiler";
import * as core from "@adjoint/core";
import "@adjoint/native";
import { Command } from "commander";
import { sequence } from "../seeded.ts";

type DType = "float32" | "float64";
type Range = readonly [from: number, to: number];

/** Functions of one operand: where they bend or do not overflow. */
const UNARY: Readonly<Record<string, Range>> = {
  exp: [-87, 88],
  exp2: [-126, 127],
  expm1: [-20, 88],
  log: [0, 3],
  log2: [0, 3],
  log10: [0, 3],
  log1p: [-1, 3],
  cbrt: [-10, 10],
  erf: [-6, 6],
  erfc: [-6, 9],
  sin: [-6400, 6400],
  cos: [-6400, 6400],
  tan: [-6400, 6400],
  asin: [-1, 1],
  acos: [-1, 1],
  atan: [-8, 8],
  sinh: [-20, 20],
  cosh: [-20, 20],
  tanh: [-20, 20],
  asinh: [-10, 10],
  acosh: [1, 20],
  atanh: [-1, 1],
  sigmoid: [-87, 20],
  softplus: [-80, 20],
  logSigmoid: [-20, 80],
  silu: [-80, 20],
  gelu: [-9, 9],
  mish: [-80, 20],
  elu: [-20, 5],
  logit: [0, 1],
  rsqrt: [0, 10],
};

/** Functions of two. */
const BINARY: Readonly<Record<string, readonly [Range, Range]>> = {
  pow: [
    [0, 5],
    [-10, 10],
  ],
  hypot: [
    [-2, 2],
    [-2, 2],
  ],
  atan2: [
    [-2, 2],
    [-2, 2],
  ],
  logAddExp: [
    [-20, 20],
    [-20, 20],
  ],
  mod: [
    [-1000, 1000],
    [-9, 9],
  ],
};

interface Options {
  readonly only?: string;
  readonly count: string;
  readonly targets: string;
}

const { only, count, targets } = new Command("npm run bench:accuracy --")
  .description("Measures the errors of compiled functions. Needs GCC and its libquadmath.")
  .option("--only <pattern>", "functions whose names match a regular expression")
  .option(
    "--count <n>",
    "numbers of the range where a function bends, and as many of all bit patterns",
    "1e6",
  )
  .option("--targets <names>", "of wasm and c, divided by commas", "wasm,c")
  .parse()
  .opts<Options>();

if (!(Number(count) >= 10)) throw new Error(`--count must be a number >= 10, got ${count}.`);

const folder = mkdtempSync(join(tmpdir(), "adjoint-accuracy-"));
const program = join(folder, "reference");
const source = fileURLToPath(new URL("reference.c", import.meta.url));
execFileSync(process.env["CC"] ?? "gcc", ["-O2", "-w", source, "-o", program, "-lquadmath", "-lm"]);

/** What the reference prints. */
interface Outcome {
  /** The largest error. */
  readonly error: number;
  /** How many results were NaN, infinite, 0 or of a sign that the exact one is not, and the first's operands. */
  readonly wrong: number;
  readonly first: readonly string[];
}

/** Results of the function of core that has this name, compiled, against exact ones. */
function measure(
  name: string,
  target: TargetName,
  dtype: DType,
  xs: readonly (Float32Array | Float64Array)[],
) {
  const f = (core as unknown as Record<string, (...xs: core.Value[]) => core.Value>)[name]!;
  const y = compile(f, { target })(...xs.map((x) => core.value(x, { dtype }))) as core.Value;
  const bytes = [...xs, y.data as Float32Array].map(
    (x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength),
  );
  const output = execFileSync(program, [name, dtype, String(xs.length)], {
    input: Buffer.concat(bytes),
    maxBuffer: 2 ** 20,
  });
  return JSON.parse(String(output)) as Outcome;
}

/** Numbers of a range. */
function within([from, to]: Range, n: number, dtype: DType, seed: number): Float32Array | Float64Array {
  const draw = sequence(seed);
  const make = () => from + (to - from) * ((draw() + 1) / 2 + draw() * 2 ** -33);
  const x = dtype === "float32" ? new Float32Array(n) : new Float64Array(n);
  return x.map(() => Math.min(Math.max(make(), from), to));
}

/** Numbers of all exponents and signs, among them denormal ones, and zeros, infinities and NaN. */
function patterns(n: number, dtype: DType, seed: number): Float32Array | Float64Array {
  const draw = sequence(seed);
  const bits = new Uint32Array(dtype === "float32" ? n : 2 * n).map(() => (draw() + 1) * 2 ** 31);
  const x = dtype === "float32" ? new Float32Array(bits.buffer) : new Float64Array(bits.buffer);
  [0, -0, Infinity, -Infinity, Number.NaN, 1, -1].forEach((special, i) => {
    x[i] = special;
  });
  return x;
}

const n = Number(count);
const pattern = new RegExp(only ?? "");
const rows = [
  ...Object.entries(UNARY).map(([name, range]) => [name, [range]] as const),
  ...Object.entries(BINARY),
];
const cells = targets
  .split(",")
  .flatMap((target) => (["float32", "float64"] as const).map((dtype) => ({ target, dtype })));
console.log(`| | ${cells.map(({ target, dtype }) => `${target}, ${dtype}: range | all`).join(" | ")} |`);
console.log(`| --- |${" ---: | ---: |".repeat(cells.length)}`);
for (const [name, ranges] of rows) {
  if (!pattern.test(name)) continue;
  const texts = cells.flatMap(({ target, dtype }) =>
    [
      ranges.map((range, i) => within(range, n, dtype, i + 1)),
      ranges.map((_, i) => patterns(n, dtype, i + 3)),
    ].map((xs) => {
      const { error, wrong, first } = measure(name, target as TargetName, dtype, xs);
      return error.toFixed(2) + (wrong > 0 ? ` (${wrong} wrong, ${first.slice(0, xs.length)})` : "");
    }),
  );
  console.log(`| \`${name}\` | ${texts.join(" | ")} |`);
}
rmSync(folder, { recursive: true });
