// Builds the packages and checks what a user would install: entry points, types, and the size of core in a bundle.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const windows = process.platform === "win32";
const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));
const packages = readdirSync("packages").filter((name) => existsSync(`packages/${name}/package.json`));
let failed = false;

function run(title, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", shell: windows });
  if (status === 0) return;
  failed = true;
  console.log(`${title} failed:\n${stdout}${stderr}`);
}

for (const name of packages) rmSync(`packages/${name}/dist`, { recursive: true, force: true });
const pnpm = ["--yes", packageManager, "--recursive", "--filter", "./packages/*"];
run("build", "npx", [...pnpm, "run", "build"]);
if (failed) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), "adjoint-"));
run("pack", "npx", [...pnpm, "pack", "--pack-destination", folder]);
for (const file of readdirSync(folder)) {
  const tarball = join(folder, file);
  run(`publint ${file}`, "publint", ["run", "--strict", tarball]);
  run(`attw ${file}`, "attw", ["--profile", "esm-only", "--format", "ascii", "--no-emoji", tarball]);
}
rmSync(folder, { recursive: true, force: true });

// Minified and gzipped, in kilobytes of 1024 bytes. The aim for all of core is 40 (docs/decisions/0006-size.md); the limit
// keeps it from growing unnoticed.
const bundles = [
  { title: "@adjoint/core, all of it", code: 'export * from "@adjoint/core";', limit: 78 },
  {
    title: "value, grad and the elementwise operations",
    code: 'export { value, grad, add, sub, mul, div, neg, exp, log, sqrt, sin, cos, tanh } from "@adjoint/core/functions";',
    limit: 15,
  },
];
async function bundle(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: resolve("docs"), loader: "js" },
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0];
}

for (const { title, code, limit } of bundles) {
  try {
    const size = gzipSync((await bundle(code)).contents).length / 1024;
    const verdict = size <= limit ? "ok" : "TOO LARGE";
    failed ||= size > limit;
    console.log(`size of ${title}: ${size.toFixed(1)} KB of at most ${limit} KB, ${verdict}`);
  } catch (error) {
    failed = true;
    console.log(`size of ${title}: ${error.message}`);
  }
}

// A bundler must keep the methods of Value, which are installed as a side effect.
const program = 'import { value } from "@adjoint/core"; console.log(value(2).mul(3).sin().item());';
const { stdout } = spawnSync(process.execPath, ["--input-type=module"], {
  input: (await bundle(program)).text,
  encoding: "utf8",
});
if (stdout.trim() !== String(Math.sin(6))) {
  failed = true;
  console.log(`a bundled program printed ${JSON.stringify(stdout)}, not ${Math.sin(6)}`);
}
process.exit(failed ? 1 : 0);
