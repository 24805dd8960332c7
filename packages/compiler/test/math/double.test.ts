import { expect, test } from "vitest";
import { laneFunctions } from "../../src/math/functions.ts";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { type Case, cases } from "./cases.ts";
import { generator } from "./generator.ts";
import { magnitude, real } from "./real.ts";
import { ulps } from "./ulps.ts";

/** How many arguments of each range. */
const SAMPLES = 600;

const plain = numberLanes("float64", false);
const fused = numberLanes("float64", true);

for (const sample of cases) {
  const { name, exact, limits, domain = () => true } = sample;
  test(`${name} of float64 is off by at most ${limits[1]} ulp`, () => {
    const f = laneFunctions.get(name)!;
    let worst = 0;
    let where: number[] = [];
    for (const xs of tuples(sample)) {
      if (!domain(xs[0]!, xs[1]!) || (f.covers !== null && !f.covers(xs, plain))) continue;
      const y = exact(...xs.map(real));
      for (const m of [plain, fused]) {
        const got = f.fast(xs, m);
        const error = Math.abs(got) === Infinity && magnitude(y) > 1023.99 ? 0 : ulps(got, y);
        if (!(error <= worst)) [worst, where] = [error, xs];
      }
    }
    expect(worst, `at ${where}`).toBeLessThanOrEqual(limits[1]);
  });
}

/** Arguments of each range, then of all magnitudes. */
function* tuples({ ranges }: Case): Generator<number[]> {
  const random = generator(ranges.length);
  const draw = ([from, to]: readonly [number, number]) => from + (to - from) * random();
  const any = (exponent: number) => (random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** exponent;
  for (const range of ranges) {
    const [first, second] = range;
    for (let i = 0; i < SAMPLES; i++) {
      yield typeof first === "number"
        ? [draw([first, second as number])]
        : [draw(first), draw(second as [number, number])];
    }
  }
  const binary = typeof ranges[0]![0] !== "number";
  for (let exponent = -1074; exponent < 1024; exponent += 5) {
    yield binary ? [any(exponent), any(Math.floor(exponent * random()))] : [any(exponent)];
  }
}
