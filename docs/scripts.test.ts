/** Runs each script of docs/examples as a reader would. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = new URL("examples/", import.meta.url);

const scripts = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".ts")) : [];

describe.skipIf(scripts.length === 0)("docs/examples", () => {
  test.each(scripts)("%s runs to its end", (file) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--conditions=source", fileURLToPath(new URL(file, folder))],
      { cwd: root, encoding: "utf8" },
    );
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  });
});
