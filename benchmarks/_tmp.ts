import { compile, explain } from "@adjoint/compiler";
import { parameter, valueAndGrad, type Value } from "@adjoint/core";
const n = Number(process.argv[2]);
const chain = (x: Value, y: Value) => { let v = x; for (let i = 0; i < n; i += 2) v = v.add(x).mul(y); return v; };
const f = compile(valueAndGrad(chain, { argnums: [0, 1] }) as any);
let t = performance.now();
console.log(f(0.5, 0.9)); console.log("first", performance.now() - t);
for (let k = 0; k < 5; k++) { t = performance.now(); f(0.5, 0.9); console.log("call", performance.now() - t); }
console.log(explain(f).slice(0, 300));
