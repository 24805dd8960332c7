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
  // What leaks grows in each part: 1000 steps, or 50 programs, which have 64 KiB of memory and more each. Other growth,
  // as of compiled JavaScript, ends. In KiB.
  for (const [parts, resident] of [
    [training, 512],
    [compiling, 1024],
  ] as const) {
    const growth = (of: (used: Used) => number) =>
      Math.min(...parts.slice(1).map((used, i) => of(used) - of(parts[i] as Used)));
    expect(growth(({ heap }) => heap)).toBeLessThan(64);
    expect(growth(({ buffers }) => buffers)).toBeLessThan(64);
    expect(growth(({ resident }) => resident)).toBeLessThan(resident);
  }
});
