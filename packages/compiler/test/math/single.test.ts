import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { cases } from "./cases.ts";
import { ulpsOfSingle } from "./ulps.ts";

/** Every STRIDE-th bit pattern: all exponents, signs, infinities and NaN among them. */
const STRIDE = 100_003;

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

for (const fused of [false, true]) {
  const m = numberLanes("float32", fused);
  for (const { name, limits } of cases) {
    test(`${name} of float32, madd ${fused ? "fused" : "not fused"}, is off by at most ${limits[0]} ulp`, () => {
      const f = laneFunctions.get(name)!;
      let worst = 0;
      let where = 0;
      for (let pattern = 0; pattern < 2 ** 32; pattern += STRIDE) {
        bits[0] = pattern;
        const x = single[0]!;
        if (f.covers !== null && !f.covers([x], m)) continue;
        const error = ulpsOfSingle(f.fast([x], m), f.scalar(x));
        if (!(error <= worst)) [worst, where] = [error, x];
      }
      expect(worst, `at ${where}`).toBeLessThanOrEqual(limits[0]);
    });
  }
}
