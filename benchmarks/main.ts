/** Runs the benchmarks: `npm run bench`, with `-- --quick` for fewer rounds and `-- --json` for one JSON object. */

import { mnistStep, stepFlops } from "./cases/mnist-step.ts";
import { timeOperations } from "./cases/operations.ts";
import { adjointProduct, plainProduct } from "./cases/products.ts";
import { adjointChain, closureChain } from "./cases/scalar-chain.ts";
import { adjointStep, closureStep, countOperations, handStep } from "./cases/scalar-graph.ts";
import { type Case, machine, runCase, table } from "./harness.ts";

const flags = new Set(process.argv.slice(2));
const rounds = flags.has("--quick") ? 9 : 45;

const product = (n: number, m: number, k: number): Case => ({
  name: `product ${n} × ${m} × ${k}, float32`,
  flops: 2 * n * m * k,
  tolerance: 1e-3,
  contenders: [
    { name: "adjoint, eager", run: adjointProduct(n, m, k) },
    { name: "plain loops", run: plainProduct(n, m, k) },
  ],
});

const cases: Case[] = [
  {
    name: "micrograd step: scalar MLP 2-16-16-1, 100 points",
    operations: countOperations(),
    tolerance: 1e-9,
    contenders: [
      { name: "adjoint, eager", run: adjointStep() },
      { name: "closures, as micrograd", run: closureStep() },
      { name: "hand-written JavaScript", run: handStep() },
    ],
  },
  {
    name: "chains of 1 000 scalar operations",
    operations: 100 * 1000,
    tolerance: 1e-12,
    contenders: [
      { name: "adjoint, eager", run: adjointChain(1000, 100) },
      { name: "closures, as micrograd", run: closureChain(1000, 100) },
    ],
  },
  {
    name: "chain of 1 000 000 scalar operations",
    operations: 1_000_000,
    tolerance: 0,
    contenders: [{ name: "adjoint, eager", run: adjointChain(1_000_000, 1) }],
  },
  product(128, 128, 784),
  product(512, 512, 512),
  ...[32, 128].map((batch) => ({
    name: `MLP 784-128-10, Adam, batch ${batch}, float32`,
    flops: stepFlops(batch),
    tolerance: 0,
    contenders: [{ name: "adjoint, eager", run: mnistStep(batch) }],
  })),
];

const rows = cases.flatMap((one) => runCase(one, rounds));
const operations = timeOperations();
if (flags.has("--json")) console.log(JSON.stringify({ machine: machine(), rows, operations }));
else console.log([machine(), "", table(rows), "", ...operations.map((line) => `- ${line}`)].join("\n"));
