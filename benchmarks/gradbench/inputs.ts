/** Inputs of the sizes that GradBench's evals send by default, drawn here. */

import { sequence } from "../seeded.ts";
import type { Input } from "./problem.ts";

/** One input of an eval. */
export interface Workload {
  readonly name: string;
  /** How much there is to do, in a unit of the eval's own. */
  readonly work: number;
  input(): Input;
}

type Numbers = readonly number[];

/** Numbers drawn in turn. */
class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = sequence(seed);
  }

  /** In [0, 1). */
  uniform(): number {
    return (this.#next() + 1) / 2;
  }

  /** Standard normal, by Box and Muller's method. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  list(n: number, draw: () => number = () => this.uniform()): number[] {
    return Array.from({ length: n }, draw);
  }

  matrix(rows: number, columns: number, draw?: () => number): number[][] {
    return Array.from({ length: rows }, () => this.list(columns, draw));
  }
}

/** Every combination of the entries of lists. */
function combinations(...[first, ...rest]: readonly Numbers[]): number[][] {
  if (first === undefined) return [[]];
  return first.flatMap((x) => combinations(...rest).map((others) => [x, ...others]));
}

function byWork(workloads: readonly Workload[]): Workload[] {
  return [...workloads].sort((a, b) => a.work - b.work);
}

const llsq = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8196, 16392].map((n): Workload => {
  return { name: `${n}`, work: n, input: () => ({ x: new Draw(n).list(128), n }) };
});

const lse = Array.from({ length: 10 }, (_, i): Workload => {
  const n = 2500 * 2 ** i;
  return { name: `${n}`, work: n, input: () => ({ x: new Draw(n).list(n) }) };
});

const det = [5, 6, 7, 8, 9, 10, 11].map((ell): Workload => {
  return { name: `${ell}`, work: ell, input: () => ({ A: new Draw(ell).list(ell * ell), ell }) };
});

const ode = byWork(
  combinations([1000, 10_000, 100_000], [1, 10, 100]).map((sizes): Workload => {
    const [n, s] = sizes as [number, number];
    return { name: `${n}_${s}`, work: n * s, input: () => ({ x: new Draw(n).list(n), s }) };
  }),
);

const gmm = byWork(
  combinations([2, 10, 20, 32, 64], [5, 10, 25, 50, 100]).map((sizes): Workload => {
    const [d, k] = sizes as [number, number];
    const n = 1000;
    const input = () => {
      const draw = new Draw(d * k);
      const normal = () => draw.normal();
      const x = draw.matrix(n, d, normal);
      const alpha = draw.list(k, normal);
      const [mu, q] = [draw.matrix(k, d), draw.matrix(k, d, normal)];
      const l = draw.matrix(k, (d * (d - 1)) / 2, normal);
      return { d, k, n, x, m: 0, gamma: 1, alpha, mu, q, l };
    };
    return { name: `${d}_${k}_${n}`, work: d * k, input };
  }),
);

const kmeans = byWork(
  combinations([10, 100, 1000], [1000, 10_000], [8, 16]).map((sizes): Workload => {
    const [k, n, d] = sizes as [number, number, number];
    const input = () => {
      const points = new Draw(k * n * d).matrix(n, d);
      return { points, centroids: points.slice(-k) };
    };
    return { name: `${k}_${n}_${d}`, work: k * n * d, input };
  }),
);

const lstm = byWork(
  combinations([2, 4, 6], [1024, 4096, 8192]).map((sizes): Workload => {
    const [l, c] = sizes as [number, number];
    const b = 14;
    const input = () => {
      const draw = new Draw(l * c);
      return {
        main_params: draw.matrix(2 * l, 4 * b),
        extra_params: draw.matrix(3, b),
        state: draw.matrix(2 * l, b),
        sequence: draw.matrix(c, b, () => draw.below(2)),
      };
    };
    return { name: `l${l}_c${c}`, work: l * c, input };
  }),
);

/** Cameras, points and observations of the first fourteen data files. */
const SCENES = [
  [49, 7776, 31_843],
  [73, 11_032, 46_122],
  [138, 19_878, 85_217],
  [318, 41_628, 182_040],
  [257, 65_132, 225_911],
  [539, 65_220, 277_273],
  [93, 61_203, 287_451],
  [88, 64_298, 383_937],
  [810, 88_814, 393_775],
  [1197, 126_327, 563_734],
  [1723, 156_502, 678_718],
  [253, 163_691, 899_155],
  [245, 198_739, 1_091_386],
  [356, 226_730, 1_255_268],
] as const;

const ba = SCENES.map(([n, m, p], i): Workload => {
  const input = () => {
    const draw = new Draw(p);
    const around = (x: number, spread: number) => x + spread * (2 * draw.uniform() - 1);
    const turn = draw.list(3, () => around(0, 1));
    const centre = draw.list(3, () => around(40, 15));
    const lens = [around(420, 50), around(0, 8), around(0, 8), around(0, 0.1), around(0, 0.01)];
    const x = draw.list(3, () => around(4, 4));
    return { n, m, p, cam: [...turn, ...centre, ...lens], x, w: draw.uniform(), feat: [271.8, 834.2] };
  };
  return { name: `ba${i + 1}_n${n}_m${m}_p${p}`, work: p, input };
});

/** A hand of made-up bones, each of the five fingers a chain of four that hangs on the second bone. */
function hand(draw: Draw, vertices: number) {
  const bones = 22;
  const parents = Array.from({ length: bones }, (_, b) => (b < 2 ? b - 1 : (b - 2) % 4 === 0 ? 1 : b - 1));
  const rows = (m: Numbers) => [0, 1, 2, 3].map((i) => m.slice(4 * i, 4 * i + 4));
  // Moves along the axes only: what they undo is their negative.
  const moved = ([x, y, z]: Numbers) => [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1] as number[];
  const steps = draw.matrix(bones, 3);
  const places: number[][] = [];
  steps.forEach((step, b) => {
    const parent = places[parents[b] as number] ?? [0, 0, 0];
    places.push(step.map((x, axis) => x + (parent[axis] as number)));
  });
  const weights = Array.from({ length: vertices }, () => {
    const row = draw.list(bones, () => (draw.below(6) === 0 ? draw.uniform() : 0));
    row[draw.below(bones)] = 1;
    const total = row.reduce((a, b) => a + b);
    return row.map((x) => x / total);
  });
  return {
    bone_count: bones,
    bone_names: parents.map((_, b) => `bone${b}`),
    parents,
    base_relatives: steps.map((step) => rows(moved(step))),
    inverse_base_absolutes: places.map((place) => rows(moved(place.map((x) => -x)))),
    base_positions: draw.matrix(vertices, 3).map((position) => [...position, 1]),
    weights,
    triangles: draw.matrix(2 * vertices, 3, () => draw.below(vertices)),
    is_mirrored: false,
  };
}

const ht = [100, 192, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200].map((points): Workload => {
  const input = () => {
    const draw = new Draw(points);
    const model = hand(draw, 10_000);
    return {
      theta: draw.list(26),
      us: draw.matrix(points, 2),
      data: {
        correspondences: draw.list(points, () => draw.below(model.triangles.length)),
        points: draw.matrix(points, 3),
        model,
      },
    };
  };
  return { name: `big_${points}`, work: points, input };
});

const one = (name: string, input: Input): readonly Workload[] => [{ name, work: 1, input: () => input }];

/** For each eval, its workloads, the smallest first. */
export const workloads: Readonly<Record<string, readonly Workload[]>> = {
  hello: one("1", 1),
  llsq,
  lse,
  det,
  ode,
  gmm,
  kmeans,
  lstm,
  ba,
  ht,
  particle: one("w0", { w: 0 }),
  saddle: one("1_1", { start: [1, 1] }),
};
