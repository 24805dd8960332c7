// Installs the workspace with the pnpm version that package.json names, unless it is installed already.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("../", import.meta.url);

function read(path) {
  try {
    return readFileSync(new URL(path, root), "utf8");
  } catch {
    return undefined;
  }
}

if (read("pnpm-lock.yaml") !== read("node_modules/.pnpm/lock.yaml")) {
  const { packageManager } = JSON.parse(read("package.json"));
  console.error("Installing…");
  const { status, stdout, stderr, error } = spawnSync(
    "npx",
    ["--yes", packageManager, "install", "--frozen-lockfile"],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" },
  );
  if (status !== 0) {
    console.error(stdout, stderr, error ?? "");
    console.error(`install: npx ${packageManager} install must succeed, got exit code ${status}.`);
    process.exit(1);
  }
}
