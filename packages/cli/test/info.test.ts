import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function adjoint(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const flags = ["--conditions=source", "--import", "tsx", main];
  return spawnSync(process.execPath, [...flags, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
}

test("info says what compiled code would use, to people and to programs", () => {
  const { stdout, stderr, status } = adjoint(["info", "--json"]);
  expect(status).toBe(0);
  const { node, threads, wasm, native } = JSON.parse(stdout);
  expect(node).toBe(process.versions.node);
  expect(threads).toBe(availableParallelism());
  expect(wasm.threads).toBe(true);
  expect(native.problem).toBeNull();
  expect(native.compiler.vectorBytes).toBeGreaterThanOrEqual(0);
  const blas =
    native.blas === null
      ? "none found: products and linear algebra are all our own"
      : `${native.blas.description} (${native.blas.path})`;
  expect(stderr).toContain(`BLAS         ${blas}`);
  expect(stderr).toContain(`C target     ${native.compiler.command}, vectors of`);
  expect(stderr.split("\n").map((line) => line.slice(0, 13).trim())).toEqual([
    ...["adjoint", "Node", "processor", "WebAssembly", "C target", "BLAS", ""],
  ]);
});

test("info says why there is no C target", () => {
  const { stdout, status } = adjoint(["info"], { CC: "no-such-compiler" });
  expect(status).toBe(0);
  expect(stdout).toContain(
    'C target     c: the C compiler "no-such-compiler" must work, got no such program.',
  );
});

test("info refuses what it does not know", () => {
  const { stderr, status } = adjoint(["info", "more"]);
  expect(status).toBe(1);
  expect(stderr).toBe("adjoint: too many arguments for 'info'. Expected 0 arguments but got 1.\n");
});
