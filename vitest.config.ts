/** Where the tests are, and how the workspace's packages resolve to their sources in them. */
import { defineConfig } from "vitest/config";

// Packages resolve to src/, so that nothing is built before a test runs.
const conditions = ["source", "import", "module", "node", "default"];
const resolve = { conditions };
const ssr = { resolve: { conditions } };

export default defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "packages",
          include: ["packages/*/test/**/*.test.ts", "benchmarks/**/*.test.ts"],
          testTimeout: 30_000,
          typecheck: {
            enabled: true,
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
            ignoreSourceErrors: true,
          },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "docs",
          include: ["docs/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
