// npm run example -- docs/examples/backpropagation.ts

/**
 * A network that learns to read ten digits, trained twice: by backpropagation written out, and by ours.
 *
 * Layer l has weights wˡ and biases bˡ and computes zˡ = wˡaˡ⁻¹ + bˡ, aˡ = σ(zˡ) with σ(z) = 1/(1 + e⁻ᶻ). The cost over
 * n inputs x with wanted outputs y is quadratic, C = 1/(2n) Σ ‖y − aᴸ‖². Backpropagation is four equations for one
 * input; the gradient of C is the mean over all of them:
 *
 *     δᴸ = ∇ₐC ⊙ σ′(zᴸ) = (aᴸ − y) ⊙ σ′(zᴸ)     (BP1)
 *     δˡ = ((wˡ⁺¹)ᵀ δˡ⁺¹) ⊙ σ′(zˡ)              (BP2)
 *     ∂C/∂bˡⱼ = δˡⱼ                            (BP3)
 *     ∂C/∂wˡⱼₖ = aˡ⁻¹ₖ δˡⱼ                      (BP4)
 *
 * Both networks start from the same weights, each takes its own steps, and after every epoch their gradients agree to
 * the last digits.
 *
 * Source: Nielsen, Neural Networks and Deep Learning (2015), chapter 2, equations (25), (26) and (BP1)–(BP4).
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { noGrad, parameter, random, type Value, value } from "@adjoint/core";
import { gradcheckParameters } from "@adjoint/gradcheck";
import { curves } from "@adjoint/viz";

// biome-ignore format: a picture.
const glyphs = [
  "███  █  ███ ███ █ █ ███ ███ ███ ███ ███",
  "█ █ ██    █   █ █ █ █   █     █ █ █ █ █",
  "█ █  █  ███ ███ ███ ███ ███   █ ███ ███",
  "█ █  █  █     █   █   █ █ █   █ █ █   █",
  "███ ███ ███ ███   █ ███ ███   █ ███ ███",
];

/** The digits as 15 pixels each, and the output wanted for each: 1 in its own place. */
const inputs = Array.from({ length: 10 }, (_, digit) =>
  glyphs.flatMap((line) => Array.from(line.slice(4 * digit, 4 * digit + 3), (pixel) => +(pixel === "█"))),
);
const wanted = inputs.map((_, digit) => inputs.map((_, place) => +(place === digit)));
const n = inputs.length;

const sizes = [15, 12, 10];
const η = 3;
const epochs = 400;

interface Layer {
  readonly w: number[][];
  readonly b: number[];
}

/** First weights as Nielsen's chapter 3 advises: normal, of standard deviation 1/√(inputs of the neuron). */
const first: Layer[] = sizes.slice(1).map((size, l) => {
  const from = sizes[l] as number;
  const draw = (shape: number[], std: number) =>
    random.normal(random.fold(random.key(2015), 2 * l + shape.length), shape, { std, dtype: "float64" });
  return {
    w: draw([size, from], 1 / Math.sqrt(from)).toArray() as number[][],
    b: draw([size], 1).toArray() as number[],
  };
});

// By hand: plain numbers, one input after another.

const σ = (z: number) => 1 / (1 + Math.exp(-z));
const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** The activations of all layers, the input first. Since σ′ = σ(1 − σ), they are all that going back needs. */
function forward(layers: Layer[], x: number[]): number[][] {
  const activations = [x];
  for (const { w, b } of layers) {
    const a = activations.at(-1) as number[];
    activations.push(w.map((row, j) => σ(dot(row, a) + (b[j] as number))));
  }
  return activations;
}

/** The gradient of the cost by every weight and bias, layer by layer. */
function backpropagate(layers: Layer[]): Layer[] {
  const gradient = layers.map(({ w, b }) => ({ w: w.map((row) => row.map(() => 0)), b: b.map(() => 0) }));
  inputs.forEach((x, i) => {
    const activations = forward(layers, x);
    let δ: number[] = [];
    for (let l = layers.length - 1; l >= 0; l--) {
      const a = activations[l + 1] as number[];
      const above = layers[l + 1]?.w;
      δ = a.map((aj, j) => {
        const error =
          above === undefined
            ? aj - (wanted[i]?.[j] as number) // (BP1)
            : dot(
                above.map((row) => row[j] as number),
                δ,
              ); // (BP2)
        return error * aj * (1 - aj);
      });
      const { w, b } = gradient[l] as Layer;
      δ.forEach((δj, j) => {
        b[j] = (b[j] as number) + δj / n; // (BP3)
        const row = w[j] as number[];
        activations[l]?.forEach((ak, k) => {
          row[k] = (row[k] as number) + (ak * δj) / n; // (BP4)
        });
      });
    }
  });
  return gradient;
}

const stepped = (layers: Layer[], gradient: Layer[]): Layer[] =>
  layers.map(({ w, b }, l) => ({
    w: w.map((row, j) => row.map((x, k) => x - η * (gradient[l]?.w[j]?.[k] as number))),
    b: b.map((x, j) => x - η * (gradient[l]?.b[j] as number)),
  }));

// Ours: the same network over all inputs at once, and nothing about derivatives.

const parameters = first.map(({ w, b }, l) => ({
  w: parameter(w, { label: `w${l + 1}` }),
  b: parameter(b, { label: `b${l + 1}` }),
}));
const all = parameters.flatMap(({ w, b }) => [w, b]);
const network = (x: Value) =>
  parameters.reduce((a, { w, b }) => a.matmul(w, { transposeB: true }).add(b).sigmoid(), x);
const X = value(inputs);
const Y = value(wanted);
const cost = () =>
  network(X)
    .sub(Y)
    .square()
    .sum()
    .div(2 * n);

/** The digits with one pixel wrong, each in 15 ways. */
const spoilt = inputs.flatMap((x) => x.map((_, i) => x.map((pixel, k) => (k === i ? 1 - pixel : pixel))));

/** How many of the pictures, as many of each digit in order, have their largest output in the right place. */
function countRead(pictures: number[][]): number {
  const answers = noGrad(() => network(value(pictures)).argmax(1)).data;
  return pictures.filter((_, i) => answers[i] === Math.floor((i * 10) / pictures.length)).length;
}

/**
 * The largest |a − b| of corresponding entries, relative to the largest |b|: a sum that is almost 0 keeps the rounding
 * of its terms, which are not.
 */
function difference(a: ArrayLike<number>, b: readonly number[]): number {
  const size = Math.max(...b.map(Math.abs));
  return Math.max(...b.map((x, i) => Math.abs((a[i] as number) - x))) / size;
}

let byHand = first;
const costs: number[] = [];
const misread: number[] = [];
const spoiltMisread: number[] = [];

console.log(`Ten digits of 3 × 5 pixels, layers of ${sizes.join(", ")} neurons, η = ${η}\n`);
console.log(glyphs.map((line) => `  ${line}`).join("\n"));
console.log("\n  epoch        cost   digits read    with one pixel wrong   gradients differ by");
for (let epoch = 0; epoch <= epochs; epoch++) {
  for (const x of all) x.grad = null;
  const c = cost();
  c.backward();
  const gradient = backpropagate(byHand);
  const worst = Math.max(
    ...gradient.flatMap(({ w, b }, l) => [
      difference(parameters[l]?.w.grad?.data ?? [], w.flat()),
      difference(parameters[l]?.b.grad?.data ?? [], b),
    ]),
  );
  assert.ok(worst < 1e-12);
  costs.push(c.item());
  const [read, spoiltRead] = [countRead(inputs), countRead(spoilt)];
  misread.push(1 - read / inputs.length);
  spoiltMisread.push(1 - spoiltRead / spoilt.length);
  if ([0, 1, 2, 5, 10, 20, 50, 100, 200, 400].includes(epoch)) {
    const cells = [
      String(epoch).padStart(5),
      c.item().toFixed(6).padStart(12),
      `${read} of ${inputs.length}`.padStart(14),
      `${spoiltRead} of ${spoilt.length}`.padStart(24),
      worst.toExponential(1).padStart(20),
    ];
    console.log(`  ${cells.join("")}`);
  }
  if (epoch === epochs) break;
  byHand = stepped(byHand, gradient);
  noGrad(() => {
    for (const x of all) x.assign(x.sub((x.grad as Value).mul(η)));
  });
}

// After all steps the networks themselves are still the same.
const apart = Math.max(
  ...byHand.flatMap(({ w, b }, l) => [
    difference(parameters[l]?.w.data ?? [], w.flat()),
    difference(parameters[l]?.b.data ?? [], b),
  ]),
);
console.log(`\nAfter ${epochs} steps each, the weights differ by ${apart.toExponential(1)}.`);
assert.ok(apart < 1e-12);
assert.equal(countRead(inputs), n);

const report = gradcheckParameters(cost, all, { maxEntries: 40 });
console.log(String(report));
assert.ok(report.passed);

const picture = curves({
  title: "A sigmoid network learns ten digits",
  x: { label: "epoch" },
  y: { label: "cost, and shares of the digits misread" },
  series: [
    { name: "cost C", y: costs },
    { name: "misread", y: misread },
    { name: "misread with one pixel wrong", y: spoiltMisread },
  ].map((one) => ({ ...one, x: one.y.map((_, epoch) => epoch) })),
});
const pictures = new URL("pictures/", import.meta.url);
mkdirSync(pictures, { recursive: true });
writeFileSync(new URL("backpropagation.svg", pictures), picture);
console.log("\nDrawn in docs/examples/pictures/backpropagation.svg");
