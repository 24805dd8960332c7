import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { workloads } from "../cases/index.ts";
import { entries } from "../contenders/index.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

function bench(...args: string[]) {
  return spawnSync(process.execPath, ["--conditions=source", "--import", "tsx", main, ...args], {
    encoding: "utf8",
    env: { ...process.env, PYTHON: "no-such-python" },
  });
}

test("ids are distinct, and a workload's value is one of them", () => {
  const ids = [...workloads, ...entries].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { value } of workloads) if (value !== undefined) expect(ids).toContain(value);
});

test("bench --list names every workload and contender", () => {
  const { stdout, status } = bench("--list");
  expect(status).toBe(0);
  for (const { id, title } of [...workloads, ...entries]) {
    expect(stdout).toMatch(new RegExp(`^ +${id} `, "m"));
    expect(stdout).toContain(title);
  }
});

test("bench leaves out who is not there, in one line, and writes what it found", () => {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-bench-test-"));
  const file = join(folder, "figures.json");
  try {
    const args = ["--only", "^tiny$", "--contenders", "hand,eager,pytorch", "--quick", "--rounds", "1"];
    const { stdout, status } = bench(...args, "--json", file);
    expect(status).toBe(0);
    expect(stdout).toContain("left out: PyTorch, 1 thread: no-such-python has no torch\n");
    expect(stdout).toMatch(/^ {2}Adjoint, eager .* 1× /m);
    const { rows, absent } = JSON.parse(readFileSync(file, "utf8"));
    expect(absent).toEqual(["PyTorch, 1 thread: no-such-python has no torch"]);
    expect(rows).toMatchObject([
      { workload: "tiny", contender: "hand", state: "timed" },
      { workload: "tiny", contender: "eager", state: "timed" },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("bench says what is wrong with its options", () => {
  const none = bench("--only", "nothing-like-it");
  expect(none.status).toBe(1);
  expect(none.stderr).toBe(
    "bench: --only must match a workload, got /nothing-like-it/. Run with --list to see them.\n",
  );
  const unknown = bench("--contenders", "eager,someone");
  expect(unknown.status).toBe(1);
  expect(unknown.stderr).toMatch(/It must be of hand, eager, .*; someone is not\./);
});
