import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { cases } from "./cases.ts";
import { real } from "./real.ts";
import { ulps } from "./ulps.ts";

const SAMPLES = 500;

const plain = numberLanes("float64", false);
const fused = numberLanes("float64", true);

for (const { name, limits, exact, ranges, domain = () => true } of cases) {
  test(`${name} of float64 is off by at most ${limits[1]} ulp`, () => {
    const f = laneFunctions.get(name)!;
    let worst = 0;
    let where = 0;
    for (const x of samples(ranges)) {
      if (!domain(x) || (f.covers !== null && !f.covers([x], plain))) continue;
      const y = exact(real(x));
      for (const m of [plain, fused]) {
        const error = ulps(f.fast([x], m), y);
        if (!(error <= worst)) [worst, where] = [error, x];
      }
    }
    expect(worst, `at ${where}`).toBeLessThanOrEqual(limits[1]);
  });
}

/** Numbers of each range, then of all magnitudes. */
function* samples(ranges: readonly (readonly [from: number, to: number])[]): Generator<number> {
  const random = generator(ranges.length);
  for (const [from, to] of ranges) {
    for (let i = 0; i < SAMPLES; i++) yield from + (to - from) * random();
  }
  for (let exponent = -1074; exponent < 1024; exponent += 5) {
    yield (random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** exponent;
  }
}

/** Numbers in [0, 1). Source: Steele and Vigna, Computationally easy, spectrally good multipliers (2021). */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 0xd1342543de82ef95n + 1n);
    return Number(state >> 11n) / 2 ** 53;
  };
}
