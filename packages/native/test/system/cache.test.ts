import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "@adjoint/compiler";
import { type Value, value } from "@adjoint/core";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { cTarget } from "../../src/index.ts";
import { cached } from "../../src/system/cache.ts";

const root = mkdtempSync(join(tmpdir(), "adjoint-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
});

/** A call of a program that is compiled, or found, in the folder. */
function call(scale: number): number {
  const f = compile((x: Value) => x.mul(scale).sin().sum(), { target: cTarget({ cacheFolder: folder }) });
  return f(value([1, 2, 3])).item();
}
const expected = (scale: number) => [1, 2, 3].reduce((sum, x) => sum + Math.sin(scale * x), 0);
const libraries = () => readdirSync(folder).filter((name) => /\.(so|dylib|dll)$/.test(name));

describe("compiled programs on disk", () => {
  test("are found again, and a changed program is another one", () => {
    expect(call(2)).toBeCloseTo(expected(2), 12);
    const before = readdirSync(folder).sort();
    expect(before.length).toBe(3);
    expect(call(2)).toBeCloseTo(expected(2), 12);
    expect(readdirSync(folder).sort()).toEqual(before);
    expect(call(3)).toBeCloseTo(expected(3), 12);
    expect(libraries().length).toBe(2);
    const [source] = before.filter((name) => name.endsWith(".c"));
    expect(readFileSync(join(folder, source as string), "utf8")).toContain("segment0");
  });

  test.each(["cut off", "emptied", "removed", "overwritten"])("are made anew where they were %s", (how) => {
    call(4);
    const [name] = libraries();
    const file = join(folder, name as string);
    // A library in use must not be changed: the broken one is another file of the name.
    const content = readFileSync(file);
    rmSync(file);
    if (how !== "removed") writeFileSync(file, how === "overwritten" ? content.map((x) => x ^ 1) : content);
    if (how === "cut off") truncateSync(file, content.length / 2);
    if (how === "emptied") truncateSync(file, 0);
    expect(call(4)).toBeCloseTo(expected(4), 12);
    expect(readFileSync(file)).toEqual(content);
  });

  test("whose records are garbage are made anew", () => {
    call(5);
    const [record] = readdirSync(folder).filter((name) => name.endsWith(".txt"));
    writeFileSync(join(folder, record as string), "nonsense");
    expect(call(5)).toBeCloseTo(expected(5), 12);
    expect(readFileSync(join(folder, record as string), "utf8")).toMatch(/^[0-9a-f]{40}\n$/);
  });

  test("are made elsewhere where the folder cannot be", () => {
    mkdirSync(root, { recursive: true });
    writeFileSync(folder, "a file, no folder");
    expect(call(6)).toBeCloseTo(expected(6), 12);
    expect(call(6)).toBeCloseTo(expected(6), 12);
    expect(readFileSync(folder, "utf8")).toBe("a file, no folder");
  });

  test.runIf(process.platform === "linux")("are made elsewhere where nobody can make folders", () => {
    folder = "/proc/adjoint";
    expect(call(6)).toBeCloseTo(expected(6), 12);
  });

  // Root may write everywhere.
  test.skipIf(process.getuid?.() === 0)("are made elsewhere where the folder is only read", () => {
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(call(7)).toBeCloseTo(expected(7), 12);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("are made elsewhere where the folder is full", () => {
    const make = (file: string) => {
      if (file.startsWith(folder)) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
      writeFileSync(file, "a library");
    };
    const made = cached(folder, { key: "k", source: "s", make });
    expect(readFileSync(made, "utf8")).toBe("a library");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("that fail to be made leave nothing behind", () => {
    const make = () => {
      throw new Error("no library");
    };
    expect(() => cached(folder, { key: "k", source: "s", make })).toThrow("no library");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("the oldest go when there are very many", () => {
    mkdirSync(folder);
    for (let i = 0; i < 3100; i++) writeFileSync(join(folder, `${i}.old`), "");
    expect(call(8)).toBeCloseTo(expected(8), 12);
    const left = readdirSync(folder);
    expect(left.length).toBeLessThan(2500);
    expect(libraries().length).toBe(1);
  });

  test("several processes at once make the same and disturb each other in nothing", async () => {
    const program = `
      import { compile } from "@adjoint/compiler";
      import { value } from "@adjoint/core";
      import { cTarget } from "@adjoint/native";
      for (let round = 0; round < 3; round++) {
        const f = compile((x) => x.mul(9 + round).sin().sum(), { target: cTarget({ cacheFolder: ${JSON.stringify(folder)} }) });
        console.log(f(value([1, 2, 3])).item());
      }`;
    const file = join(import.meta.dirname, `process-${process.pid}.ts`);
    writeFileSync(file, program);
    try {
      const run = () =>
        new Promise<string>((done, fail) => {
          const child = spawn("npx", ["tsx", "--conditions=source", file], {
            stdio: ["ignore", "pipe", "pipe"],
          });
          let output = "";
          let errors = "";
          child.stdout.on("data", (chunk) => {
            output += chunk;
          });
          child.stderr.on("data", (chunk) => {
            errors += chunk;
          });
          child.on("close", (code) => (code === 0 ? done(output) : fail(new Error(errors))));
        });
      const outputs = await Promise.all([run(), run(), run()]);
      for (const output of outputs) {
        const numbers = output.trim().split("\n").map(Number);
        numbers.forEach((x, round) => {
          expect(x).toBeCloseTo(expected(9 + round), 12);
        });
        expect(numbers.length).toBe(3);
      }
      expect(libraries().length).toBe(3);
      expect(readdirSync(folder).filter((name) => name.endsWith(".draft"))).toEqual([]);
    } finally {
      rmSync(file);
    }
  }, 120_000);
});
