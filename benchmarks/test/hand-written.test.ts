/** The gradients of the hand-written layers against central differences. */

import { expect, test } from "vitest";
import {
  type Convolution,
  classLoss,
  convolve,
  convolveGradients,
  dense,
  denseGradients,
  maxPool,
  maxPoolGradient,
  parameter,
  placesOf,
  squaredLoss,
} from "../hand-written/layers.ts";
import { adam, sgd } from "../hand-written/updates.ts";
import { uniform } from "../seeded.ts";

/** Compares each element of a gradient with the central difference of `f`, a function of what `data` holds. */
function expectGradient(data: Float32Array, gradient: Float32Array, f: () => number): void {
  const step = 2 ** -6;
  const numeric = Array.from(data, (x, i) => {
    data[i] = x + step;
    const above = f();
    data[i] = x - step;
    const below = f();
    data[i] = x;
    return (above - below) / (2 * step);
  });
  numeric.forEach((expected, i) => {
    expect(gradient[i]).toBeCloseTo(expected, 2);
  });
}

/** ⟨y, cotangent⟩, a scalar function whose cotangent of y is known. */
function dot(y: Float32Array, cotangent: Float32Array): number {
  return y.reduce((sum, one, i) => sum + one * (cotangent[i] as number), 0);
}

test("denseGradients gives the derivatives of dense", () => {
  const [x, w, b] = [uniform(1, 6), parameter(uniform(2, 12)), parameter(uniform(3, 4))];
  const [y, dy, dx] = [new Float32Array(8), uniform(4, 8), new Float32Array(6)];
  const f = () => {
    dense(x, w.data, b.data, y);
    return dot(y, dy);
  };
  denseGradients(x, w, b, dy, dx);
  expectGradient(x, dx, f);
  expectGradient(w.data, w.gradient, f);
  expectGradient(b.data, b.gradient, f);
});

test.each([0, 1])("convolveGradients gives the derivatives of convolve with padding %i", (padding) => {
  const shape: Convolution = { from: 2, to: 3, height: 5, kernel: 3, padding };
  const size = 2 * 3 * placesOf(shape) ** 2;
  const [x, w, b] = [uniform(1, 2 * 2 * 25), parameter(uniform(2, 54)), parameter(uniform(3, 3))];
  const [y, dy, dx] = [new Float32Array(size), uniform(4, size), new Float32Array(x.length)];
  const f = () => {
    convolve(shape, x, w.data, b.data, y);
    return dot(y, dy);
  };
  convolveGradients(shape, x, w, b, dy, dx);
  expectGradient(x, dx, f);
  expectGradient(w.data, w.gradient, f);
  expectGradient(b.data, b.gradient, f);
});

test("maxPool takes the largest of each window, and its gradient goes there alone", () => {
  const x = Float32Array.from([1, 2, 5, 6, 4, 3, 8, 7, 0, 0, -1, -2, 0, 1, -3, -4]);
  const [y, from, dx] = [new Float32Array(4), new Int32Array(4), new Float32Array(16)];
  maxPool(x, 4, y, from);
  expect([...y]).toEqual([4, 8, 1, -1]);
  maxPoolGradient(Float32Array.from([10, 20, 30, 40]), from, dx);
  expect([...dx]).toEqual([0, 0, 0, 0, 10, 0, 20, 0, 0, 0, 40, 0, 0, 30, 0, 0]);
});

test("classLoss is −ln softmax of the chosen, and sets its derivative", () => {
  const [logits, classes, dlogits] = [uniform(1, 6, 2), Int32Array.from([2, 0]), new Float32Array(6)];
  const [a, b, c] = logits as unknown as [number, number, number];
  const [d, e, f] = logits.subarray(3) as unknown as [number, number, number];
  const expected =
    Math.log(Math.exp(a) + Math.exp(b) + Math.exp(c)) -
    c +
    Math.log(Math.exp(d) + Math.exp(e) + Math.exp(f)) -
    d;
  expect(classLoss(logits, classes, dlogits)).toBeCloseTo(expected / 2, 6);
  expectGradient(logits, dlogits.slice(), () => classLoss(logits, classes, dlogits));
});

test("squaredLoss is the mean of squared differences, and sets its derivative", () => {
  const [y, dy] = [Float32Array.from([1, 2, 3, 4]), new Float32Array(4)];
  expect(squaredLoss(y, Float32Array.from([1, 0, 3, 1]), dy)).toBe(13 / 4);
  expect([...dy]).toEqual([0, 1, 0, 1.5]);
});

test("sgd steps along the gradient; adam's first step is the learning rate, whatever the gradient's size", () => {
  const x = parameter(Float32Array.from([1, 1]));
  x.gradient.set([1, -100]);
  sgd([x], 0.5)();
  expect([...x.data]).toEqual([0.5, 51]);
  const y = parameter(Float32Array.from([1, 1]));
  y.gradient.set([1, -100]);
  adam([y], 0.25)();
  expect(y.data[0]).toBeCloseTo(0.75, 6);
  expect(y.data[1]).toBeCloseTo(1.25, 6);
});
