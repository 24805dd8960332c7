/** Every operation that @adjoint/core exports: its definition, its method, its documentation, and the laws. */

import { readdirSync, readFileSync } from "node:fs";
import * as core from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { checkLaws, type LawfulOperation } from "../src/index.ts";

/** What stands among the operations without being one: it cuts the graph, or makes constants of nothing. */
const NOT_OPERATIONS: ReadonlySet<string> = new Set([
  "stopGradient",
  "full",
  "zeros",
  "ones",
  "zerosLike",
  "onesLike",
  "eye",
  "arange",
]);

/** The docstring of each function that core's operation files export, by name. */
const docstrings = new Map<string, string>();
const folder = new URL("../../core/src/ops/", import.meta.url);
for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".ts")) continue;
  const source = readFileSync(new URL(file, folder), "utf8");
  const documented = /(?:\/\*\*\n((?:(?! \*\/)[^\n]*\n)*) \*\/\n)?export (?:const|function) (\w+)/g;
  for (const [, text = "", name = ""] of source.matchAll(documented)) docstrings.set(name, text);
}

/** An exported function is an operation where its file, its definition or its method says so. */
const methods = Object.getPrototypeOf(core.value(1)) as Record<string, unknown>;
const operations = Object.entries(core as Record<string, unknown>).filter(
  ([name, f]) =>
    typeof f === "function" && !NOT_OPERATIONS.has(name) && (docstrings.has(name) || "definition" in f),
);

test("core's operations are found", () => {
  const names = operations.map(([name]) => name);
  expect(names).toEqual(expect.arrayContaining(["add", "where", "sum", "reshape", "matmul", "take"]));
});

describe.each(operations)("%s", (name, f) => {
  const { definition } = f as Partial<LawfulOperation>;

  test("carries its definition, under its own name, with samples", () => {
    expect(definition?.name).toBe(name);
    const samples = definition?.samples((shape) => core.zerosLike(core.broadcastTo(1, shape))) ?? [];
    expect(samples.length).toBeGreaterThan(0);
  });

  test("is a method of Value", () => {
    expect(typeof methods[name]).toBe("function");
  });

  test("has a description, its derivative, and an example in its docstring", () => {
    const text = docstrings.get(name) ?? "";
    const [description = ""] = text.split(/ \*\n/);
    expect(description.trim()).not.toBe("");
    expect(text).toMatch(/Derivative: /);
    expect(text).toMatch(/ \* @example\n \* \S/);
  });

  test("obeys the laws", () => {
    const violations = checkLaws(f as LawfulOperation);
    expect(violations.map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
  });
});
