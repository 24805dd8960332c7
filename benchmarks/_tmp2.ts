import { capture, valueAndGrad, value, type Value } from "@adjoint/core";
import { bodyGraphOf } from "@adjoint/core/operations";
import { flowOf } from "../packages/compiler/src/graph/flow.ts";
import { rolled } from "../packages/compiler/src/graph/roll.ts";
import { Schedule } from "../packages/compiler/src/graph/groups.ts";
import { planOf } from "../packages/compiler/src/graph/plan.ts";
import { wasm } from "../packages/compiler/src/targets/wasm/target.ts";
const n = Number(process.argv[2]);
const chain = (x: Value, y: Value) => { let v = x; for (let i = 0; i < n; i += 2) v = v.add(x).mul(y); return v; };
const f = (...xs: Value[]) => (valueAndGrad(chain, { argnums: [0, 1] }) as any)(...xs);
for (let k = 0; k < 2; k++) {
let t = performance.now(); const lap = (s: string) => { const d = performance.now() - t; console.log(s.padEnd(12), d.toFixed(0)); t = performance.now(); };
const graph = capture(f, value(0.5), value(0.9)); lap("capture");
bodyGraphOf(graph.inputs, graph.outputs, 0); lap("bodyGraph");
void graph.outside; lap("outside");
const program = { graph, arguments: 2, results: 3, updates: [] };
const flow = flowOf(program); lap("flow"); console.log(flow.nodes.length);
const r = rolled(flow); lap("roll");
new Schedule(r); lap("schedule");
const plan = planOf(program); lap("plan (all)");
const ex = wasm.prepare(program); lap("prepare(all)");
ex.run([0.5, 0.9]); lap("run");
}
