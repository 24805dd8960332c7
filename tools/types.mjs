// Type-checks everything at once, then each package's sources with only the types of the platforms it runs on.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const projects = ["tsconfig.json"];
for (const name of readdirSync("packages")) {
  const project = `packages/${name}/tsconfig.build.json`;
  if (existsSync(project)) projects.push(project);
}

let failed = false;
for (const project of projects) {
  // Workspace packages resolve to their sources, which lie outside a single package's root.
  const options = ["--noEmit", "--customConditions", "source", "--rootDir", "."];
  const { status } = spawnSync("tsc", ["-p", project, ...options], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
