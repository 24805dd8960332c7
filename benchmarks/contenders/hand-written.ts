/** Hand-written JavaScript: every problem solved by plain loops, which also say what the answers are. */

import { chainByHand } from "../cases/chain.ts";
import { leNetByHand } from "../cases/lenet.ts";
import { mlpByHand } from "../cases/mlp.ts";
import { productByHand } from "../cases/product.ts";
import { scalarGraphByHand } from "../cases/scalar-graph.ts";
import { secondByHand } from "../cases/second.ts";
import { smoothByHand } from "../cases/smooth.ts";
import { tinyByHand } from "../cases/tiny.ts";
import type { Contender } from "../problem.ts";

export const handWritten = {
  tiny: tinyByHand,
  mlp: mlpByHand,
  lenet: leNetByHand,
  smooth: smoothByHand,
  second: secondByHand,
  product: productByHand,
  scalarGraph: scalarGraphByHand,
  chain: chainByHand,
} satisfies Contender;
