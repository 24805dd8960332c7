import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const program = `
import { grad, parameter, value } from "@adjoint/core";
const w = parameter([[1, 2], [3, 4]]);
value([[1, 1]]).matmul(w).tanh().sum().backward();
console.log(JSON.stringify([grad((x) => grad((x) => x.sin().mul(x))(x))(1).item(), w.grad.toArray()]));
`;

function run(...flags: string[]): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, "--conditions=source", "--import", "tsx", "--input-type=module", "-e", program],
    { encoding: "utf8" },
  );
  return stdout === "" ? stderr : stdout;
}

test("core runs where code generation is forbidden, with the same results to the last bit", () => {
  const results = run();
  expect(JSON.parse(results)[0]).toBeCloseTo(2 * Math.cos(1) - Math.sin(1), 14);
  expect(run("--disallow-code-generation-from-strings")).toBe(results);
});
