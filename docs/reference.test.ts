/** The reference pages say what the sources' docstrings say. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { referencePages } from "./testing/reference.ts";

test("the reference is what `npm run reference` writes", () => {
  const pages = referencePages();
  const committed = readdirSync("docs/reference").filter((name) => name.endsWith(".md"));
  expect(committed.sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) {
    expect(readFileSync(`docs/reference/${name}`, "utf8") === text, `docs/reference/${name} is stale`).toBe(
      true,
    );
  }
});
