import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

interface Used {
  readonly heap: number;
  readonly buffers: number;
  readonly resident: number;
}

const script = fileURLToPath(new URL("soak.ts", import.meta.url));

test("compiled steps leave nothing behind, and programs that are not used any more go", () => {
  const flags = ["--expose-gc", "--conditions=source", "--import", "tsx"];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, script, "4000", "200"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const { training, compiling } = JSON.parse(stdout) as { training: Used[]; compiling: Used[] };
  // In KiB, after the first part has warmed up: 3000 steps, and 150 programs, which have 64 KiB of memory and more each.
  for (const [parts, resident] of [
    [training, 2048],
    [compiling, 4096],
  ] as const) {
    const [, first, ...rest] = parts as [Used, Used, ...Used[]];
    const last = rest.at(-1) as Used;
    expect(last.heap - first.heap).toBeLessThan(256);
    expect(last.buffers - first.buffers).toBeLessThan(256);
    expect(last.resident - first.resident).toBeLessThan(resident);
  }
});
