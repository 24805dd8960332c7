// Runs the tests that need a browser. Where there is none and Debian's package tools are at hand, installs one before.
import { spawnSync } from "node:child_process";

const run = (command, ...args) => spawnSync(command, args, { stdio: "inherit" }).status === 0;
const finds = (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

const names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
if (process.env.CHROMIUM === undefined && !names.some(finds)) {
  const installs = process.getuid?.() === 0 && finds("apt-get");
  const installed =
    installs &&
    run("apt-get", "update", "-qq") &&
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium");
  if (!installed) {
    console.error(
      "test:browser: a Chromium must be there, got none. Install one, or name its program in CHROMIUM.",
    );
    process.exit(1);
  }
}
const passed = run("npx", "vitest", "run", "--project", "packages", "packages/compiler/test/browser.test.ts");
process.exit(passed ? 0 : 1);
