/** Layers and losses as plain loops over float32 arrays, forward and backward: what a person writes without a library. */

/** Numbers to learn, and the gradient of the loss by them. */
export interface Parameter {
  readonly data: Float32Array;
  readonly gradient: Float32Array;
}

/** A parameter that starts with a copy of `first`. */
export function parameter(first: Float32Array): Parameter {
  return { data: first.slice(), gradient: new Float32Array(first.length) };
}

/** y = x Wᵀ + b. Shape: x [n, in], weight [out, in], bias [out], y [n, out]. */
export function dense(x: Float32Array, weight: Float32Array, bias: Float32Array, y: Float32Array): void {
  const out = bias.length;
  const size = weight.length / out;
  for (let i = 0; i * out < y.length; i++) {
    for (let o = 0; o < out; o++) {
      let sum = bias[o] as number;
      for (let k = 0; k < size; k++) sum += (x[i * size + k] as number) * (weight[o * size + k] as number);
      y[i * out + o] = sum;
    }
  }
}

/** Sets the gradients of a dense layer from its output's cotangent, and its input's cotangent unless that is null. */
export function denseGradients(
  x: Float32Array,
  weight: Parameter,
  bias: Parameter,
  dy: Float32Array,
  dx: Float32Array | null,
): void {
  const { data: w, gradient: dw } = weight;
  const db = bias.gradient;
  const out = db.length;
  const size = w.length / out;
  dw.fill(0);
  db.fill(0);
  dx?.fill(0);
  for (let i = 0; i * out < dy.length; i++) {
    for (let o = 0; o < out; o++) {
      const d = dy[i * out + o] as number;
      if (d === 0) continue;
      db[o] = (db[o] as number) + d;
      const [row, at] = [o * size, i * size];
      for (let k = 0; k < size; k++) dw[row + k] = (dw[row + k] as number) + d * (x[at + k] as number);
      if (dx === null) continue;
      for (let k = 0; k < size; k++) dx[at + k] = (dx[at + k] as number) + d * (w[row + k] as number);
    }
  }
}

/** Sizes of a convolution with square kernels: x [n, from, height, height] → y [n, to, places, places]. */
export interface Convolution {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly kernel: number;
  readonly padding: number;
}

/** How many places a kernel has along an axis. */
export function placesOf({ height, kernel, padding }: Convolution): number {
  return height + 2 * padding - kernel + 1;
}

/**
 * Calls `use` for each row of output that an element of a kernel meets: which weight it is, where the rows of y and x
 * begin, and how long they are.
 */
function eachRow(
  shape: Convolution,
  examples: number,
  use: (weight: number, y: number, x: number, length: number) => void,
): void {
  const { from, to, height, kernel, padding } = shape;
  const places = placesOf(shape);
  for (let n = 0; n < examples; n++) {
    for (let o = 0; o < to; o++) {
      for (let c = 0; c < from; c++) {
        for (let k = 0; k < kernel * kernel; k++) {
          const down = Math.floor(k / kernel) - padding;
          const right = (k % kernel) - padding;
          const begin = Math.max(0, -right);
          const length = Math.min(places, height - right) - begin;
          for (let i = Math.max(0, -down); i < Math.min(places, height - down); i++) {
            const y = ((n * to + o) * places + i) * places + begin;
            const x = ((n * from + c) * height + i + down) * height + begin + right;
            use((o * from + c) * kernel * kernel + k, y, x, length);
          }
        }
      }
    }
  }
}

/** y = correlation of x with the kernels, plus the bias. */
export function convolve(
  shape: Convolution,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  y: Float32Array,
): void {
  const plane = placesOf(shape) ** 2;
  for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / plane) % shape.to] as number;
  eachRow(shape, y.length / (shape.to * plane), (w, atY, atX, length) => {
    const factor = weight[w] as number;
    for (let j = 0; j < length; j++) y[atY + j] = (y[atY + j] as number) + factor * (x[atX + j] as number);
  });
}

/** Sets the gradients of a convolution from its output's cotangent, and its input's cotangent unless that is null. */
export function convolveGradients(
  shape: Convolution,
  x: Float32Array,
  weight: Parameter,
  bias: Parameter,
  dy: Float32Array,
  dx: Float32Array | null,
): void {
  const { data, gradient: dw } = weight;
  const db = bias.gradient;
  const plane = placesOf(shape) ** 2;
  dw.fill(0);
  db.fill(0);
  dx?.fill(0);
  for (let i = 0; i < dy.length; i++) {
    const o = Math.floor(i / plane) % shape.to;
    db[o] = (db[o] as number) + (dy[i] as number);
  }
  eachRow(shape, dy.length / (shape.to * plane), (w, atY, atX, length) => {
    let sum = 0;
    for (let j = 0; j < length; j++) sum += (dy[atY + j] as number) * (x[atX + j] as number);
    dw[w] = (dw[w] as number) + sum;
    if (dx === null) return;
    const factor = data[w] as number;
    for (let j = 0; j < length; j++) dx[atX + j] = (dx[atX + j] as number) + factor * (dy[atY + j] as number);
  });
}

/** The largest of each 2 × 2 window of planes [height, height], and in `from` where it stood. */
export function maxPool(x: Float32Array, height: number, y: Float32Array, from: Int32Array): void {
  const half = height / 2;
  for (let i = 0; i < y.length; i++) {
    const corner = 2 * Math.floor(i / half) * height + 2 * (i % half);
    let best = corner;
    for (const place of [corner + 1, corner + height, corner + height + 1]) {
      if ((x[place] as number) > (x[best] as number)) best = place;
    }
    y[i] = x[best] as number;
    from[i] = best;
  }
}

/** Sets x's cotangent from that of `maxPool`'s output. */
export function maxPoolGradient(dy: Float32Array, from: Int32Array, dx: Float32Array): void {
  dx.fill(0);
  for (let i = 0; i < dy.length; i++) dx[from[i] as number] = dy[i] as number;
}

/** Mean squared error; sets the cotangent of y. */
export function squaredLoss(y: Float32Array, targets: Float32Array, dy: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) {
    const difference = (y[i] as number) - (targets[i] as number);
    sum += difference * difference;
    dy[i] = (2 * difference) / y.length;
  }
  return sum / y.length;
}

/** Mean cross-entropy of softmax(logits) with classes; sets the cotangent of the logits, p − 1 or p over the batch. */
export function classLoss(logits: Float32Array, classes: Int32Array, dlogits: Float32Array): number {
  const batch = classes.length;
  const size = logits.length / batch;
  let loss = 0;
  for (let i = 0; i < batch; i++) {
    const at = i * size;
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < size; k++) largest = Math.max(largest, logits[at + k] as number);
    let sum = 0;
    for (let k = 0; k < size; k++) sum += Math.exp((logits[at + k] as number) - largest);
    const chosen = classes[i] as number;
    loss += Math.log(sum) + largest - (logits[at + chosen] as number);
    for (let k = 0; k < size; k++) {
      const p = Math.exp((logits[at + k] as number) - largest) / sum;
      dlogits[at + k] = (p - (k === chosen ? 1 : 0)) / batch;
    }
  }
  return loss / batch;
}
