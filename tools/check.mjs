// Runs every check, one after the other, and ends with how many passed: each test counts, and each other check as one.
//
// `--tested FILE STATUS` counts the tests of a run that is already done: its JSON report and its exit status.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";

const steps = [
  ["format and lint", "check:format"],
  ["types", "check:types"],
  ["import directions", "check:imports"],
  ["unused code", "check:unused"],
  ["tests", "check:tests"],
  ["documentation examples", "check:docs"],
  ["package exports", "check:exports"],
];
const tests = new Set(["check:tests", "check:docs"]);

const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
const path = `${resolve("node_modules/.bin")}${delimiter}${process.env.PATH}`;
const folder = mkdtempSync(join(tmpdir(), "adjoint-check-"));
let passed = 0;
let failed = 0;

/** Counts a test run's tests; a file that could not run, or a run that ended badly, counts as one failure. */
function count(report, status) {
  let broken = 0;
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    passed += numPassedTests;
    broken = numFailedTests;
    broken += testResults.filter(
      (file) => file.status === "failed" && file.assertionResults.length === 0,
    ).length;
  } catch {
    broken = 1;
  }
  if (status !== 0) broken ||= 1;
  failed += broken;
}

const [flag, report, status] = process.argv.slice(2);
const tested = flag === "--tested";
if (tested) count(report, Number(status));

for (const [title, script] of steps) {
  const isTest = tests.has(script);
  if (isTest && tested) continue;
  const file = join(folder, `${script.replace(":", "-")}.json`);
  const command =
    scripts[script] + (isTest ? ` --reporter=default --reporter=json --outputFile.json="${file}"` : "");
  const start = performance.now();
  const result = spawnSync(command, {
    shell: true,
    encoding: "utf8",
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 28,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const ok = result.status === 0;
  if (isTest) count(file, result.status);
  else if (ok) passed += 1;
  else failed += 1;
  if (!ok || script === "check:exports") console.log(`${result.stdout}${result.stderr}`.trimEnd());
  console.log(`${ok ? "passed" : "FAILED"}  ${title}  ${seconds} s`);
}

rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
