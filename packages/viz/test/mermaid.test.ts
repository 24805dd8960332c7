/** Tests of graphs as Mermaid flowcharts. */
import { mul, parameter, type Value, value } from "@adjoint/core";
import { expect, test } from "vitest";
import { toMermaid } from "../src/index.ts";
import { saying } from "./saying.ts";

test("toMermaid draws values, operations and edges", () => {
  const text = toMermaid(mul(parameter(3, { label: "x" }), 2));
  expect(text.split("\n").slice(0, 8)).toEqual([
    "flowchart LR",
    '  v0["x<br/>data 3"]:::parameter',
    '  v1["data 2"]:::constant',
    '  v2["data 6"]:::result',
    '  o2(["mul"]):::operation',
    "  v0 --> o2",
    "  v1 --> o2",
    "  o2 --> v2",
  ]);
  expect(text).toContain("  style v2 stroke-width:3px\n");
});

test("toMermaid escapes what Mermaid, Markdown and HTML would read", () => {
  expect(toMermaid(value(1, { label: 'a"b <i> #1; `c` *d*\ne' })).split("\n")[1]).toBe(
    '  v0["a#34;b #60;i#62; #35;1; #96;c#96; #42;d#42;<br/>e<br/>data 1"]:::constant',
  );
});

test("toMermaid names itself in errors", () => {
  expect(() => toMermaid([] as Value[])).toThrow(
    saying("toMermaid: root must be a value or an array of values."),
  );
});
