import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "@adjoint/compiler";
import { type Value, value } from "@adjoint/core";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { CompilerError, cTarget } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "adjoint-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** A program that stands for a compiler. */
function script(name: string, body: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Answers as a compiler does when it is asked for its macros, and does otherwise what the body says. */
const answering = (name: string, body: string) =>
  script(name, `case "$*" in *-dM*) exec cc "$@";; esac\n${body}`);

function messageOf(compiler: string, timeLimit?: number): string {
  const target = cTarget({ compiler, cacheFolder: join(folder, "cache"), ...(timeLimit && { timeLimit }) });
  try {
    compile((x: Value) => x.mul(3), { target })(value(2));
  } catch (error) {
    expect(error).toBeInstanceOf(CompilerError);
    return (error as Error).message;
  }
  return "no error";
}

const ADVICE = 'Install gcc or clang, name one in CC, or compile with target "wasm".';

describe("a C compiler that does not work is one clear error", () => {
  test("where there is none", () => {
    expect(messageOf("/nowhere/cc")).toBe(
      `c: the C compiler "/nowhere/cc" must work, got no such program. ${ADVICE}`,
    );
  });

  test("where it fails at once", () => {
    const file = script("failing", "echo 'cc: error: out of order' >&2; exit 3");
    expect(messageOf(file)).toBe(
      `c: the C compiler ${JSON.stringify(file)} must work, got exit code 3 (cc: error: out of order). ${ADVICE}`,
    );
  });

  test("where it answers nonsense", () => {
    const file = script("nonsense", "echo hello");
    expect(messageOf(file)).toBe(
      `c: the C compiler ${JSON.stringify(file)} must work, got something else than C's macros. ${ADVICE}`,
    );
  });

  test("where it hangs", () => {
    const file = script("hanging", "exec sleep 30");
    const start = Date.now();
    expect(messageOf(file, 300)).toBe(
      `c: the C compiler ${JSON.stringify(file)} must work, got no answer in 0.3 s. ${ADVICE}`,
    );
    expect(Date.now() - start).toBeLessThan(10_000);
  });

  test("where it hangs on a program", () => {
    const file = answering("slow", "exec sleep 30");
    expect(messageOf(file, 1500)).toContain("got no answer in 1.5 s");
  });

  test("where it fails on a program", () => {
    const file = answering("refusing", "echo 'source: fatal error: disk full' >&2; exit 1");
    expect(messageOf(file)).toContain("got exit code 1 (source: fatal error: disk full)");
  });

  test("where it writes something else than a library", () => {
    const file = answering(
      "garbage",
      'for out; do [ "$last" = -o ] && echo garbage > "$out"; last=$out; done',
    );
    expect(messageOf(file)).toContain("got a library that cannot be loaded (");
  });

  test.runIf(process.platform !== "win32")("where there is no folder for temporary files", () => {
    vi.stubEnv("TMPDIR", "/nowhere");
    expect(messageOf(answering("homeless", "exit 0"))).toContain("got no folder for temporary files (ENOENT");
  });

  test("where it writes nothing", () => {
    const file = answering("idle", "exit 0");
    expect(messageOf(file)).toContain("got no library. ");
  });
});

describe.runIf(process.platform !== "win32")("what a compiler has started ends with it", () => {
  const isRunning = (id: number) => {
    // One that has ended may still have its number.
    const { stdout } = spawnSync("ps", ["-o", "state=", "-p", String(id)], { encoding: "utf8" });
    return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
  };
  const until = async (holds: () => boolean) => {
    for (let i = 0; i < 200 && !holds(); i++) await new Promise((done) => setTimeout(done, 50));
    return holds();
  };
  /** A compiler that has another program do the work, as they do, and writes down which; where that is, and it. */
  const working = (name: string) => {
    const ids = join(folder, `${name}-ids`);
    return {
      file: answering(name, `sleep 60 & echo $! $$ > ${ids}.new; mv ${ids}.new ${ids}; wait`),
      isThere: () => existsSync(ids),
      processes: () => readFileSync(ids, "utf8").trim().split(" ").map(Number),
    };
  };

  test("when its time is over", async () => {
    const { file, processes } = working("overdue");
    expect(messageOf(file, 1500)).toContain("got no answer in 1.5 s");
    expect(processes().length).toBe(2);
    expect(await until(() => !processes().some(isRunning))).toBe(true);
  });

  test.each(["SIGKILL", "SIGINT"] as const)("when this process ends by %s", async (signal) => {
    const { file, isThere, processes } = working(`orphan-${signal}`);
    const program = join(import.meta.dirname, `orphan-${process.pid}-${signal}.ts`);
    writeFileSync(
      program,
      `import { findCompiler, makeLibrary } from "../../src/system/compiler.ts";
      makeLibrary(findCompiler(${JSON.stringify(file)}, 60_000), "", "/dev/null");`,
    );
    try {
      const own = mkdtempSync(join(folder, "temporary-"));
      const command = ["--import", "tsx", "--conditions=source", program];
      const child = spawn(process.execPath, command, { env: { ...process.env, TMPDIR: own } });
      expect(await until(isThere)).toBe(true);
      expect(processes().filter(isRunning).length).toBe(2);
      child.kill(signal);
      expect(await until(() => !processes().some(isRunning))).toBe(true);
      expect(readdirSync(own).filter((name) => name.startsWith("adjoint-"))).toEqual([]);
    } finally {
      rmSync(program);
    }
  });
});

describe("the compiler", () => {
  test("is the one that CC names, with arguments", () => {
    const file = script("named", 'exec cc "$@"');
    vi.stubEnv("CC", `${file} -DNAMED`);
    const f = compile((x: Value) => x.mul(3), {
      target: cTarget({ cacheFolder: join(folder, "named-cache") }),
    });
    expect(f(2).item()).toBe(6);
  });

  test("is not needed by auto, which compiles to WebAssembly where it fails", async () => {
    vi.stubEnv("CC", script("broken", "exit 1"));
    const { auto } = await import("../../src/index.ts");
    let prepared = "";
    const target = {
      name: "auto",
      prepare: (program: Parameters<typeof auto.prepare>[0]) => {
        const executable = auto.prepare(program);
        prepared = executable.explain();
        return executable;
      },
    };
    expect(compile((x: Value) => x.mul(3), { target })(2).item()).toBe(6);
    expect(prepared).toContain("of code");
  });

  test("is what auto takes where it works", () => {
    const f = compile((x: Value) => x.mul(3), { target: "auto" });
    expect(f(2).item()).toBe(6);
    const g = compile((x: Value) => x.mul(3), { target: "c" });
    expect(g(2).item()).toBe(6);
  });
});
