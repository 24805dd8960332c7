import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const program = `
import { compile } from "@adjoint/compiler";
import { parameter, value } from "@adjoint/core";
const w = parameter([[1, 2], [3, 4]]);
const step = compile((x, rate) => {
  w.grad = null;
  const loss = x.matmul(w).tanh().square().sum();
  loss.backward();
  w.assign(w.sub(w.grad.mul(rate)));
  return loss;
});
const losses = [1, 2, 3].map((n) => step(value([[1, n / 2]]), 0.1).item());
console.log(JSON.stringify([losses, w.toArray()]));
`;

function run(...flags: string[]): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, "--conditions=source", "--import", "tsx", "--input-type=module", "-e", program],
    { encoding: "utf8" },
  );
  return stdout === "" ? stderr : stdout;
}

test("compiled functions run where code generation from text is forbidden, with the same results", () => {
  const results = run();
  expect(JSON.parse(results)[0][0]).toBeCloseTo(Math.tanh(2.5) ** 2 + Math.tanh(4) ** 2, 14);
  expect(run("--disallow-code-generation-from-strings")).toBe(results);
});
