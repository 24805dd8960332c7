/** All workloads, in the order of the report. */

import type { Workload } from "../problem.ts";
import { chains, deepChain, longChain } from "./chain.ts";
import { leNetStep } from "./lenet.ts";
import { mnistSteps, regressionLoss, regressionStep, wideStep } from "./mlp.ts";
import { productGradient, products } from "./product.ts";
import { scalarGraphStep } from "./scalar-graph.ts";
import { secondDerivative } from "./second.ts";
import { smoothGradient, smoothValue } from "./smooth.ts";
import { tiny } from "./tiny.ts";

export const workloads: readonly Workload[] = [
  tiny,
  regressionStep,
  ...mnistSteps,
  wideStep,
  leNetStep,
  smoothGradient,
  productGradient,
  scalarGraphStep,
  regressionLoss,
  smoothValue,
  secondDerivative,
  ...products,
  chains,
  longChain,
  deepChain,
];
