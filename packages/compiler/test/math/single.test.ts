import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { type Case, cases } from "./cases.ts";
import { generator } from "./generator.ts";
import { ulpsOfSingle } from "./ulps.ts";

/** Every STRIDE-th bit pattern: all exponents, signs, infinities and NaN among them. */
const STRIDE = 130_003;

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

function fromBits(pattern: number): number {
  bits[0] = pattern;
  return single[0]!;
}

for (const sample of cases) {
  const { name, limits } = sample;
  test(`${name} of float32 is off by at most ${limits[0]} ulp`, () => {
    const f = laneFunctions.get(name)!;
    let worst = 0;
    let where: number[] = [];
    for (const m of [numberLanes("float32", false), numberLanes("float32", true)]) {
      for (const xs of tuples(sample)) {
        if (f.covers !== null && !f.covers(xs, m)) continue;
        const error = ulpsOfSingle(f.fast(xs, m), f.scalar(...xs));
        if (!(error <= worst)) [worst, where] = [error, xs];
      }
    }
    expect(worst, `at ${where}`).toBeLessThanOrEqual(limits[0]);
  });
}

/** How many arguments of each range. */
const SAMPLES = 5000;

/**
 * Bit patterns, and numbers of the ranges; for two arguments, patterns with ones of the ranges, since two patterns rarely
 * are of like size.
 */
function* tuples({ ranges }: Case): Generator<number[]> {
  const random = generator(1);
  for (const [from, to] of ranges) {
    if (typeof from !== "number") continue;
    for (let i = 0; i < SAMPLES; i++) yield [Math.fround(from + ((to as number) - from) * random())];
  }
  for (let pattern = 0; pattern < 2 ** 32; pattern += STRIDE) {
    const x = fromBits(pattern);
    const [first, second] = ranges[pattern % ranges.length]!;
    if (typeof first === "number") yield [x];
    else {
      const [from, to] = second as readonly [number, number];
      const y = Math.fround(from + (to - from) * random());
      yield [x, y];
      yield [y, x];
      yield [Math.fround(first[0] + (first[1] - first[0]) * random()), y];
    }
  }
}
