/** The coverage table names what @adjoint/core exports, and all of its operations. */
import { readFileSync } from "node:fs";
import * as core from "@adjoint/core";
import { expect, test } from "vitest";

const listed = readFileSync("docs/coverage.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| NumPy") && !line.startsWith("| ---"))
  .flatMap((line) => (line.split(" | ").at(-1) ?? "").match(/`[\w.]+`/g) ?? [])
  .map((name) => name.slice(1, -1));

test("every name in the table is exported", () => {
  const missing = listed.filter((name) => {
    const [first, second] = name.split(".") as [string, string?];
    const found = (core as Record<string, unknown>)[first];
    return second === undefined ? typeof found !== "function" : !(second in (found as object));
  });
  expect(missing).toEqual([]);
});

test("every operation is in the table", () => {
  const operations = Object.entries(core).filter(([, f]) => typeof f === "function" && "definition" in f);
  const missing = operations
    .map(([name]) => name)
    .filter((name) => !listed.includes(name) && name !== "identity");
  expect(missing).toEqual([]);
});
