// Makes sure of what the tests of @adjoint/native need: a C compiler, and OpenBLAS if it can be had. Where they are missing
// and Debian's package tools are at hand, installs them.
import { spawnSync } from "node:child_process";

const run = (command, ...args) =>
  spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
const finds = (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
const loads = (name) => spawnSync("sh", ["-c", `ldconfig -p | grep -q ${name}`]).status === 0;

const isLinux = process.platform === "linux";
const missing = [];
if (process.env.CC === undefined && !["cc", "gcc", "clang"].some(finds)) missing.push("gcc", "libc6-dev");
if (isLinux && finds("ldconfig") && !loads("libopenblas")) missing.push("libopenblas0");

if (missing.length > 0 && isLinux && process.getuid?.() === 0 && finds("apt-get")) {
  console.error(`Installing ${missing.join(", ")}…`);
  const installed =
    run("apt-get", "update", "-qq") &&
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing);
  if (!installed) console.error(`compiler: ${missing.join(", ")} could not be installed.`);
}
if (missing.includes("gcc") && !["cc", "gcc"].some(finds)) {
  console.error(
    "compiler: a C compiler must be there, got none. Install gcc or clang, or the C target's tests fail.",
  );
}
