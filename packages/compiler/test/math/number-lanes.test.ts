import { expect, test } from "vitest";
import { numberLanes } from "../../src/math/number-lanes.ts";
import { add, mul, type Real, real } from "./real.ts";

const single = numberLanes("float32", true);
const double = numberLanes("float64", true);

/** Numbers with few and with many digits, of like and of unlike sizes, by turns. */
function* triples(round: (x: number) => number): Generator<[number, number, number]> {
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  for (let i = 0; i < 20_000; i++) {
    const a = round(draw() * 2 ** ((i % 7) * 8) + draw() / 2 ** 20);
    const b = round(i % 3 === 0 ? 1 + 2 ** -((i % 40) + 5) : draw());
    const c = round(i % 5 === 0 ? -a * b : draw() * 2 ** ((i % 11) * 6 - 30));
    yield [a, b, c];
  }
}

/** To so many digits, ties to even. */
function nearest(x: Real, places: number): number {
  let { digits, exponent } = x;
  const sign = digits < 0n ? -1 : 1;
  if (digits < 0n) digits = -digits;
  for (let length = digits.toString(2).length; length > places; length = digits.toString(2).length) {
    const excess = BigInt(length - places);
    const half = 1n << (excess - 1n);
    const low = digits & ((1n << excess) - 1n);
    digits >>= excess;
    if (low > half || (low === half && digits & 1n)) digits += 1n;
    exponent += Number(excess);
  }
  return sign * Number(digits) * 2 ** exponent;
}

test("a fused madd of float32 rounds the exact result once", () => {
  for (const [a, b, c] of triples(Math.fround)) {
    const exact = add(mul(real(a), real(b)), real(c));
    expect(single.madd(a, b, c), `${a} · ${b} + ${c}`).toBe(nearest(exact, 24) + 0);
  }
});

test("a fused madd of float64 rounds the exact result once", () => {
  for (const [a, b, c] of triples((x) => x)) {
    const y = double.madd(a, b, c);
    const exact = add(mul(real(a), real(b)), real(c));
    expect(y, `${a} · ${b} + ${c}`).toBe(nearest(exact, 53) + 0);
  }
  expect(double.madd(1 + 2 ** -52, 1 + 2 ** -52, -1 - 2 ** -51)).toBe(2 ** -104);
  expect(double.madd(2 ** 1000, 2 ** 20, 1)).toBe(2 ** 1020);
  expect(double.madd(Infinity, 1, -Infinity)).toBe(NaN);
  expect(double.madd(-0, 1, -0)).toBe(-0);
});

test("an unfused madd rounds twice", () => {
  const x = 1 + 2 ** -20;
  const square = Math.fround(x * x);
  expect(numberLanes("float32", false).madd(x, x, -square)).toBe(0);
  expect(single.madd(x, x, -square)).toBe(2 ** -40);
});

test("exponent, significand and power2 take normal numbers apart", () => {
  for (const [m, least, greatest] of [
    [single, -126, 127],
    [double, -1022, 1023],
  ] as const) {
    for (const n of [least, -1, 0, 1, 52, greatest]) {
      expect(m.exponent(-1.5 * m.power2(n))).toBe(n);
      expect(m.significand(1.5 * m.power2(n))).toBe(1.5);
      expect(m.power2(n)).toBe(2 ** n);
    }
    for (const n of [least - 1, greatest + 1, 0.5, NaN]) expect(m.power2(n)).toBe(NaN);
    for (const x of [0, 2 ** (least - 1), Infinity, NaN]) expect(m.exponent(x)).toBe(NaN);
    for (const x of [0, -1, 2 ** (least - 1), Infinity, NaN]) expect(m.significand(x)).toBe(NaN);
  }
});

test("nearest takes ties to even, and leaves signs and large numbers alone", () => {
  const xs = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, -0.2, 2 ** 52 + 1, -Infinity, NaN];
  expect(xs.map(double.nearest)).toEqual([0, 2, 2, -0, -2, 0, -0, 2 ** 52 + 1, -Infinity, NaN]);
});

test("atMost and atLeast keep NaN, copySign takes the sign of zeros", () => {
  expect([double.atMost(NaN, 1), double.atLeast(NaN, 1)]).toEqual([NaN, NaN]);
  expect([double.atMost(2, 1), double.atMost(-2, 1), double.atLeast(0, 1)]).toEqual([1, -2, 1]);
  expect([double.copySign(3, -0), double.copySign(-3, 0), double.copySign(-0, 1)]).toEqual([-3, 3, 0]);
});
