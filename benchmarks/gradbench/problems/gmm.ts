/** gmm: the log posterior of a mixture of Gaussians, whose inverse covariances are given by their Cholesky factors. */

import {
  arange,
  concat,
  exp,
  expandDims,
  grad,
  lgamma,
  log,
  logSumExp,
  matmul,
  square,
  sum,
  take,
  type Value,
  value,
  zeros,
} from "@adjoint/core";
import { count, field, scalar, tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** Of each component: weight [k], mean [k, d], and the inverse factor's log diagonal [k, d] and rest [k, d(d−1)/2]. */
type Parameters = { readonly alpha: Value; readonly mu: Value; readonly q: Value; readonly l: Value };
/** The Wishart prior's parameters, scalars. */
type Prior = { readonly gamma: Value; readonly m: Value };

/** log p(x | parameters) + log p(parameters), for points x [n, d]. */
export function logPosterior({ alpha, mu, q, l }: Parameters, x: Value, { gamma, m }: Prior): Value {
  const [k, d] = q.shape as [number, number];
  const n = x.shape[0] as number;
  const logDeterminant = q.sum(1);

  const whitened = matmul(x.sub(expandDims(mu, 1)), lowerTriangles(q, l), { transposeB: true });
  const beta = alpha.add(logDeterminant).expandDims(1).sub(square(whitened).sum(2).mul(0.5));
  const likelihood = logSumExp(beta, 0)
    .sum()
    .sub(logSumExp(alpha).mul(n))
    .sub((n * d * Math.log(2 * Math.PI)) / 2);

  const frobenius = sum(exp(q.mul(2))).add(sum(square(l)));
  const prior = frobenius.mul(square(gamma).mul(0.5)).sub(logDeterminant.sum().mul(m));
  return likelihood.sub(prior).add(logNormaliser(d, gamma, m).mul(k));
}

/** The matrices [k, d, d] with diagonal exp(q), and below it l, column by column. */
function lowerTriangles(q: Value, l: Value): Value {
  const [k, d] = q.shape as [number, number];
  const entries = concat([exp(q), l, zeros([k, 1])], 1);
  const places = Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) => {
      if (i === j) return i;
      const before = d * j - (j * (j + 1)) / 2;
      return i > j ? d + before + i - j - 1 : -1;
    }),
  );
  return take(entries, value(places, { dtype: "int32" }), 1);
}

/** The logarithm of the Wishart density's constant, N·d·log(γ/√2) − log Γ_d(N/2). */
function logNormaliser(d: number, gamma: Value, m: Value): Value {
  const degrees = m.add(d + 1);
  const logGamma = sum(lgamma(degrees.sub(arange(d)).div(2))).add((d * (d - 1) * Math.log(Math.PI)) / 4);
  return degrees
    .mul(d)
    .mul(log(gamma.div(Math.SQRT2)))
    .sub(logGamma);
}

function args(input: unknown): [Parameters, Value, Prior] {
  const [d, k, n] = [count(input, "d", 1), count(input, "k", 1), count(input, "n", 1)];
  const prior = { gamma: scalar(field(input, "gamma"), "gamma"), m: value(count(input, "m")) };
  const parameters = {
    alpha: tensor(input, "alpha", k),
    mu: tensor(input, "mu", k, d),
    q: tensor(input, "q", k, d),
    l: tensor(input, "l", k, (d * (d - 1)) / 2),
  };
  return [parameters, tensor(input, "x", n, d), prior];
}

export const gmm: Problem = {
  objective: (input) => task(logPosterior, args(input)),
  jacobian: (input) =>
    task(
      (parameters: Parameters, x: Value, prior: Prior) => grad(logPosterior)(parameters, x, prior),
      args(input),
    ),
};
