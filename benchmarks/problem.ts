/** What is measured: problems with their data, and the workloads that pose them. */

import type { Chain } from "./cases/chain.ts";
import type { LeNet } from "./cases/lenet.ts";
import type { Mlp } from "./cases/mlp.ts";
import type { Product } from "./cases/product.ts";
import type { ScalarGraph } from "./cases/scalar-graph.ts";
import type { Second } from "./cases/second.ts";
import type { Smooth } from "./cases/smooth.ts";
import type { Tiny } from "./cases/tiny.ts";

/** The kinds of problem, each with what poses one. */
export interface Problems {
  readonly tiny: Tiny;
  readonly mlp: Mlp;
  readonly lenet: LeNet;
  readonly smooth: Smooth;
  readonly second: Second;
  readonly product: Product;
  readonly scalarGraph: ScalarGraph;
  readonly chain: Chain;
}

/** The name of a kind of problem. */
export type Kind = keyof Problems;

/** A problem that a contender has made ready to work on. */
export interface Run {
  /** Does the work once, to the end, and returns its value: the loss before the update, where there is one. */
  step(): number | Promise<number>;
  /** The gradients that the last step gave, where they are what is asked for. */
  gradients?(): readonly ArrayLike<number>[];
}

/** How one contender does each kind of work. A kind that it cannot do is missing, or throws and says why. */
export type Contender = { readonly [K in Kind]?: (problem: Problems[K]) => Run | Promise<Run> };

/** A row of the results. */
export interface Workload<K extends Kind = Kind> {
  /** What `--only` selects by. */
  readonly id: string;
  readonly title: string;
  readonly kind: K;
  readonly problem: () => Problems[K];
  /** How many steps are compared before any is timed. */
  readonly checked: number;
  /** The largest relative difference of answers that still counts as the same work. */
  readonly tolerance: number;
  /** How many operations a step is, to give nanoseconds an operation. */
  readonly operations?: number;
  /** Floating-point operations of a step's products, to give GFLOP/s. */
  readonly flops?: number;
  /** Contenders that it makes no sense for. */
  readonly without?: readonly string[];
  /** The workload that computes the value alone, to give what the gradient costs beside it. */
  readonly value?: string;
}

/** A workload, its problem's type checked against its kind. */
export function workload<K extends Kind>(stated: Workload<K>): Workload {
  return stated as unknown as Workload;
}
