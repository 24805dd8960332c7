/** The evals' functions as plain loops over numbers, and closed forms of their derivatives: nothing of Adjoint's. */

type Numbers = readonly number[];
type Matrix = readonly Numbers[];

const dot = (a: Numbers, b: Numbers) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
const at = (a: Numbers, i: number) => a[i] as number;
const cell = (a: Matrix, i: number, j: number) => at(a[i] as Numbers, j);

/** Central differences, extrapolated once: their error is of the fourth order in h. Source: Richardson (1911). */
export function differences(f: (x: Numbers) => number, x: Numbers, h = 1e-3): number[] {
  return x.map((_, i) => {
    const moved = (by: number) => f(x.map((xi, j) => (i === j ? xi + by : xi)));
    const central = (h: number) => (moved(h) - moved(-h)) / (2 * h);
    return (4 * central(h / 2) - central(h)) / 3;
  });
}

export function llsq(x: Numbers, n: number): { value: number; gradient: number[] } {
  const gradient = x.map(() => 0);
  let value = 0;
  for (let i = 0; i < n; i++) {
    const t = -1 + (2 * i) / (n - 1);
    const powers = x.map((_, j) => t ** j);
    const residual = Math.sign(t) - dot(x, powers);
    value += residual ** 2 / 2;
    powers.forEach((power, j) => {
      gradient[j] = at(gradient, j) - residual * power;
    });
  }
  return { value, gradient };
}

/** Softmax is the gradient of the logarithm of a sum of exponentials. */
export function softmax(x: Numbers): number[] {
  const largest = x.reduce((a, b) => Math.max(a, b));
  const parts = x.map((xi) => Math.exp(xi - largest));
  const total = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / total);
}

/** A determinant and its gradient, the cofactors det·A⁻ᵀ, by Gauss and Jordan's elimination with pivots. */
export function determinant(a: Numbers, n: number): { value: number; gradient: number[] } {
  const rows = Array.from({ length: n }, (_, i) => [
    ...a.slice(i * n, (i + 1) * n),
    ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)),
  ]);
  let value = 1;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column; i < n; i++)
      if (Math.abs(cell(rows, i, column)) > Math.abs(cell(rows, pivot, column))) pivot = i;
    if (pivot !== column) value = -value;
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const scale = cell(rows, column, column);
    value *= scale;
    const pivotal = (rows[column] as number[]).map((x) => x / scale);
    rows.forEach((row, i) => {
      const factor = at(row, column);
      rows[i] = i === column ? pivotal : row.map((x, j) => x - factor * at(pivotal, j));
    });
  }
  const gradient = Array.from({ length: n * n }, (_, i) => value * cell(rows, i % n, n + Math.floor(i / n)));
  return { value, gradient };
}

/**
 * The solution by Runge and Kutta's method, and the gradient of its last element: that is a multiple of the product of
 * all x, step or no step, so that it is the element over xᵢ.
 */
export function ode(x: Numbers, steps: number): { solution: number[]; gradient: number[] } {
  const h = 2 / steps;
  const slope = (y: Numbers) => x.map((xi, i) => xi * (i === 0 ? 1 : at(y, i - 1)));
  const plus = (y: Numbers, k: Numbers, by: number) => y.map((yi, i) => yi + by * at(k, i));
  let y: number[] = x.map(() => 0);
  for (let step = 0; step < steps; step++) {
    const k1 = slope(y);
    const k2 = slope(plus(y, k1, h / 2));
    const k3 = slope(plus(y, k2, h / 2));
    const k4 = slope(plus(y, k3, h));
    y = y.map((yi, i) => yi + (h * (at(k1, i) + 2 * at(k2, i) + 2 * at(k3, i) + at(k4, i))) / 6);
  }
  return { solution: y, gradient: x.map((xi) => at(y, y.length - 1) / xi) };
}

/** log Γ at whole and half numbers, by their recursion. */
function logGamma(x: number): number {
  if (x === 1) return 0;
  return x === 0.5 ? Math.log(Math.PI) / 2 : Math.log(x - 1) + logGamma(x - 1);
}

const logSumExp = (x: Numbers) => {
  const largest = Math.max(...x);
  return largest + Math.log(x.reduce((sum, xi) => sum + Math.exp(xi - largest), 0));
};

export interface Mixture {
  readonly d: number;
  readonly k: number;
  readonly n: number;
  readonly x: Matrix;
  readonly m: number;
  readonly gamma: number;
  readonly alpha: Numbers;
  readonly mu: Matrix;
  readonly q: Matrix;
  readonly l: Matrix;
}

export function gmm({ d, k, n, x, m, gamma, alpha, mu, q, l }: Mixture): number {
  const sums = q.map((row) => row.reduce((a, b) => a + b));
  let likelihood = -n * d * 0.5 * Math.log(2 * Math.PI) - n * logSumExp(alpha);
  for (const point of x) {
    const beta = alpha.map((weight, c) => {
      const away = point.map((xi, i) => xi - cell(mu, c, i));
      const product = away.map((xi, i) => xi * Math.exp(cell(q, c, i)));
      let next = 0;
      for (let i = 0; i < d; i++)
        for (let j = i + 1; j < d; j++) product[j] = at(product, j) + cell(l, c, next++) * at(away, i);
      return weight + at(sums, c) - dot(product, product) / 2;
    });
    likelihood += logSumExp(beta);
  }
  const degrees = d + m + 1;
  let constant = degrees * d * Math.log(gamma / Math.SQRT2) - ((d * (d - 1)) / 4) * Math.log(Math.PI);
  for (let j = 1; j <= d; j++) constant -= logGamma(degrees / 2 + (1 - j) / 2);
  let prior = k * constant;
  q.forEach((row, c) => {
    const squares =
      row.reduce((sum, qi) => sum + Math.exp(2 * qi), 0) + dot(l[c] as Numbers, l[c] as Numbers);
    prior -= gamma ** 2 * 0.5 * squares - m * at(sums, c);
  });
  return likelihood + prior;
}

/** A Newton step for each centroid: to the mean of the points that are nearest to it. */
export function kmeans(points: Matrix, centroids: Matrix): { cost: number; dir: number[][] } {
  const sums = centroids.map((c) => ({ count: 0, sum: c.map(() => 0) }));
  let cost = 0;
  for (const point of points) {
    const squares = centroids.map((c) => c.reduce((sum, x, j) => sum + (x - at(point, j)) ** 2, 0));
    const least = Math.min(...squares);
    cost += least;
    const nearest = sums[squares.indexOf(least)] as { count: number; sum: number[] };
    nearest.count++;
    point.forEach((x, j) => {
      nearest.sum[j] = at(nearest.sum, j) + x;
    });
  }
  const dir = centroids.map((c, i) => {
    const { count, sum } = sums[i] as { count: number; sum: number[] };
    return c.map((x, j) => x - at(sum, j) / count);
  });
  return { cost, dir };
}

export function lstm(main: Matrix, extra: Matrix, state: Matrix, sequence: Matrix): number {
  const b = (extra[0] as Numbers).length;
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const rows = state.map((row) => [...row]);
  let total = 0;
  for (let t = 0; t + 1 < sequence.length; t++) {
    let x = (sequence[t] as Numbers).map((bit, i) => bit * cell(extra, 0, i));
    for (let q = 0; 2 * q < rows.length; q++) {
      const [hidden, memory] = [rows[2 * q] as number[], rows[2 * q + 1] as number[]];
      const gate = (k: number, input: Numbers, i: number) =>
        at(input, i) * cell(main, 2 * q, k * b + i) + cell(main, 2 * q + 1, k * b + i);
      const next = hidden.map((_, i) => {
        memory[i] =
          at(memory, i) * sigmoid(gate(0, x, i)) +
          sigmoid(gate(1, hidden, i)) * Math.tanh(gate(3, hidden, i));
        return sigmoid(gate(2, x, i)) * Math.tanh(at(memory, i));
      });
      rows[2 * q] = next;
      x = next;
    }
    const y = x.map((xi, i) => xi * cell(extra, 1, i) + cell(extra, 2, i));
    const normaliser = Math.log(2 + y.reduce((sum, yi) => sum + Math.exp(yi), 0));
    y.forEach((yi, i) => {
      total += cell(sequence, t + 1, i) * (yi - normaliser);
    });
  }
  return -total / ((sequence.length - 1) * b);
}

/** The two errors of one observation by its 15 parameters: camera, point, weight. */
export function reprojection(parameters: Numbers, features: Numbers): number[] {
  const [r, centre] = [parameters.slice(0, 3), parameters.slice(3, 6)];
  const [focal, u0, v0, k1, k2] = parameters.slice(6, 11) as [number, number, number, number, number];
  const weight = at(parameters, 14);
  const x = [0, 1, 2].map((i) => at(parameters, 11 + i) - at(centre, i));
  const cross = (a: Numbers, b: Numbers) =>
    [0, 1, 2].map((i) => at(a, (i + 1) % 3) * at(b, (i + 2) % 3) - at(a, (i + 2) % 3) * at(b, (i + 1) % 3));
  const angle = Math.hypot(...r);
  const axis = r.map((ri) => ri / angle);
  const turned =
    angle === 0
      ? cross(r, x).map((c, i) => c + at(x, i))
      : cross(axis, x).map(
          (c, i) =>
            at(x, i) * Math.cos(angle) +
            c * Math.sin(angle) +
            at(axis, i) * dot(axis, x) * (1 - Math.cos(angle)),
        );
  const p = [0, 1].map((i) => at(turned, i) / at(turned, 2));
  const radius = dot(p, p);
  const distortion = 1 + k1 * radius + k2 * radius ** 2;
  return p.map((pi, i) => weight * (focal * pi * distortion + (i === 0 ? u0 : v0) - at(features, i)));
}

export interface Hand {
  readonly theta: Numbers;
  readonly us: Matrix;
  readonly data: {
    readonly correspondences: Numbers;
    readonly points: Matrix;
    readonly model: {
      readonly parents: Numbers;
      readonly base_relatives: readonly Matrix[];
      readonly inverse_base_absolutes: readonly Matrix[];
      readonly base_positions: Matrix;
      readonly weights: Matrix;
      readonly triangles: Matrix;
      readonly is_mirrored: boolean;
    };
  };
}

export function ht({ theta, us, data: { correspondences, points, model } }: Hand): number[] {
  const product = (a: Matrix, b: Matrix): number[][] =>
    a.map((row) => (b[0] as Numbers).map((_, j) => row.reduce((sum, x, k) => sum + x * cell(b, k, j), 0)));
  const pose = Array.from({ length: 25 }, () => [0, 0, 0]);
  pose[0] = theta.slice(0, 3);
  pose[1] = [1, 1, 1];
  pose[2] = theta.slice(3, 6);
  let [next, row] = [6, 5];
  for (let finger = 0; finger < 5; finger++) {
    for (let i = 0; i < 3; i++, row++) {
      (pose[row] as number[])[0] = at(theta, next++);
      if (i === 0) (pose[row] as number[])[1] = at(theta, next++);
    }
    row++;
  }
  const absolutes: Matrix[] = [];
  const transforms = model.parents.map((parent, bone) => {
    const [x, z, y] = pose[bone + 3] as [number, number, number];
    const [cx, sx, cy, sy] = [Math.cos(x), Math.sin(x), Math.cos(y), Math.sin(y)];
    const [cz, sz] = [Math.cos(z), Math.sin(z)];
    const rotation = [
      [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz, 0],
      [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz, 0],
      [-sy, sx * cy, cx * cy, 0],
      [0, 0, 0, 1],
    ];
    const relative = product(model.base_relatives[bone] as Matrix, rotation);
    absolutes.push(parent < 0 ? relative : product(absolutes[parent] as Matrix, relative));
    return product(absolutes[bone] as Matrix, model.inverse_base_absolutes[bone] as Matrix);
  });
  const [turn, , shift] = pose as unknown as [Numbers, Numbers, Numbers];
  const angle = Math.hypot(...turn);
  const global =
    angle < 1e-4
      ? [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ]
      : (() => {
          const [x, y, z] = turn.map((t) => t / angle) as [number, number, number];
          const [c, s] = [Math.cos(angle), Math.sin(angle)];
          const v = 1 - c;
          return [
            [c + x * x * v, x * y * v - z * s, x * z * v + y * s],
            [y * x * v + z * s, c + y * y * v, y * z * v - x * s],
            [z * x * v - y * s, z * y * v + x * s, c + z * z * v],
          ];
        })();
  const vertices = model.base_positions.map((base, v) => {
    const position = [0, 0, 0];
    transforms.forEach((transform, bone) => {
      for (let i = 0; i < 3; i++)
        position[i] = at(position, i) + cell(model.weights, v, bone) * dot(transform[i] as Numbers, base);
    });
    if (model.is_mirrored) position[0] = -at(position, 0);
    return global.map((row, i) => dot(row, position) + at(shift, i));
  });
  return points.flatMap((point, p) => {
    const touched = at(correspondences, p);
    if (us.length === 0) return point.map((x, i) => x - cell(vertices, touched, i));
    const [u0, u1] = us[p] as [number, number];
    const shares = [u0, u1, 1 - u0 - u1];
    const corners = model.triangles[touched] as Numbers;
    return point.map(
      (x, i) => x - shares.reduce((sum, share, k) => sum + share * cell(vertices, at(corners, k), i), 0),
    );
  });
}

/** The square of where particle's particle lands, and its derivative by w: numbers with their derivatives, by hand. */
export function landing(w: number): { value: number; derivative: number } {
  type Dual = readonly [value: number, derivative: number];
  const plus = (a: Dual, b: Dual, by = 1): Dual => [a[0] + by * b[0], a[1] + by * b[1]];
  const times = (a: Dual, b: Dual): Dual => [a[0] * b[0], a[1] * b[0] + a[0] * b[1]];
  const power = (a: Dual, p: number): Dual => [a[0] ** p, p * a[0] ** (p - 1) * a[1]];
  const charges: readonly (readonly [Dual, Dual])[] = [
    [
      [10, 0],
      [10 - w, -1],
    ],
    [
      [10, 0],
      [0, 0],
    ],
  ];
  let x: readonly [Dual, Dual] = [
    [0, 0],
    [8, 0],
  ];
  let v: readonly [Dual, Dual] = [
    [0.75, 0],
    [0, 0],
  ];
  for (;;) {
    // −∇ 1/‖x − c‖ = (x − c)/‖x − c‖³
    let acceleration: readonly [Dual, Dual] = [
      [0, 0],
      [0, 0],
    ];
    for (const charge of charges) {
      const away = [plus(x[0], charge[0], -1), plus(x[1], charge[1], -1)] as const;
      const inverseCube = power(plus(times(away[0], away[0]), times(away[1], away[1])), -1.5);
      acceleration = [
        plus(acceleration[0], times(away[0], inverseCube)),
        plus(acceleration[1], times(away[1], inverseCube)),
      ];
    }
    x = [plus(x[0], v[0], 0.1), plus(x[1], v[1], 0.1)];
    if (x[1][0] <= 0) break;
    v = [plus(v[0], acceleration[0], 0.1), plus(v[1], acceleration[1], 0.1)];
  }
  const rest = times(times([-1, 0], x[1]), power(v[1], -1));
  const landed = plus(x[0], times(v[0], rest));
  const [value, derivative] = times(landed, landed);
  return { value, derivative };
}
