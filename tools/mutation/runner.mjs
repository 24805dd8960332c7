// Core's and gradcheck's tests as one bundle, run test by test in processes of their own: a mutant may exhaust memory.
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { context } from "esbuild";

const FOLDERS = ["packages/core/test", "packages/gradcheck/test"];
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(folder, name)),
);

/**
 * Runs the tests it is given, in order, up to the first that fails; says before each that it begins. Without tests it runs
 * all of them, and says of each how long it took, whether it failed and which functions it entered.
 */
const ENTRY = `
import { collected } from "vitest";
const files = { ${FILES.map((file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(`./${file}`)})`)} };
const [workload] = await new Promise((done) => process.once("message", (...message) => done(message)));
const say = (message) => process.send(message);
const hits = new Set();
globalThis.__hit = (n) => hits.add(n);
globalThis.__mutant = workload.mutant;
for (const key of ["log", "warn", "error", "info"]) console[key] = () => {};
const loaded = new Map();
async function load(file) {
  let tests = loaded.get(file);
  if (tests === undefined) {
    collected.tests = [];
    collected.hooks = [];
    await files[file]();
    tests = { ...collected };
    loaded.set(file, tests);
  }
  return tests;
}
async function run(file, index) {
  try {
    const { tests, hooks } = await load(file);
    try {
      await tests[index]();
    } finally {
      for (const hook of hooks) await hook();
    }
    return null;
  } catch (error) {
    return String(error?.message ?? error).split("\\n", 1)[0];
  }
}
if (workload.tests) {
  let failed = null;
  for (const [at, { file, index }] of workload.tests.entries()) {
    say({ begun: at });
    const message = await run(file, index);
    if (message !== null) {
      failed = { at, message };
      break;
    }
  }
  say({ failed });
} else {
  const results = [];
  for (const file of Object.keys(files)) {
    const { tests } = await load(file);
    for (let index = 0; index < tests.length; index++) {
      hits.clear();
      say({ begun: results.length });
      const start = performance.now();
      const message = await run(file, index);
      results.push({ file, index, message, duration: performance.now() - start, hits: [...hits] });
    }
  }
  say({ failed: null, results });
}
`;

/** Builds bundles of the tests with some of core's source files replaced, and runs tests in them. */
export async function makeRunner() {
  const folder = mkdtempSync(join(tmpdir(), "adjoint-mutants-"));
  const bundle = join(folder, "tests.mjs");
  const vitest = createRequire(createRequire(resolve("x")).resolve("vitest/package.json"));
  let replaced = new Map();
  const build = await context({
    stdin: { contents: ENTRY, resolveDir: resolve("."), loader: "js" },
    outfile: bundle,
    bundle: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    conditions: ["source"],
    alias: {
      vitest: resolve("tools/mutation/vitest.mjs"),
      "@vitest/expect": vitest.resolve("@vitest/expect"),
    },
    logLevel: "silent",
    plugins: [
      {
        name: "replace",
        setup({ onLoad }) {
          onLoad({ filter: /packages[\\/].*\.ts$/ }, ({ path }) => {
            const text = replaced.get(relative(".", path)) ?? readFileSync(path, "utf8");
            // In the bundle a test file still knows where it lies.
            const contents = text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });

  /** Bundles with texts in place of files. */
  const bundleWith = async (texts) => {
    replaced = texts;
    await build.rebuild();
  };

  /** Starts the bundle; ends with its last message, or `failed` where it crashed or took too long. */
  const work = (workload, limitOf = () => 60_000) =>
    new Promise((done) => {
      const child = fork(bundle, { execArgv: ["--max-old-space-size=1024"], silent: true });
      let at = 0;
      let begun = false;
      let timer;
      const end = (result) => {
        clearTimeout(timer);
        child.removeAllListeners();
        child.kill("SIGKILL");
        done(result);
      };
      const watch = () => {
        clearTimeout(timer);
        // Starting takes long where the machine is busy.
        const limit = begun ? limitOf(at) : 60_000;
        timer = setTimeout(() => end({ failed: { at, message: "took too long" } }), limit);
      };
      watch();
      child.on("message", (message) => {
        if (message.begun !== undefined) {
          at = message.begun;
          begun = true;
          watch();
        } else end(message);
      });
      child.on("error", ({ message }) => end({ failed: { at, message } }));
      child.on("exit", () => end({ failed: { at, message: "crashed" } }));
      child.send(workload);
    });

  const close = async () => {
    await build.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  return { bundleWith, work, close };
}
