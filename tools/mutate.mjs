// Mutation tests: breaks rules and sweeps of core on purpose, one place at a time, and expects the tests to notice.
//
// `node tools/mutate.mjs [--count 60] [--seed 1] [--only TEXT]` works on a copy of the working tree; prints each mutant
// that no test noticed. Slow: seconds a mutant.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const count = Number(option("count", 60));
const only = option("only", "");
let state = Number(option("seed", 1));
const draw = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};

/** What to write instead of what. */
const MUTATIONS = [
  [/\bm\.add\(/g, "m.sub("],
  [/\bm\.sub\(/g, "m.add("],
  [/\bm\.mul\(/g, "m.div("],
  [/\bm\.div\(/g, "m.mul("],
  [/\bm\.sin\(/g, "m.cos("],
  [/\bm\.cos\(/g, "m.sin("],
  [/\bm\.neg\(/g, "m.abs("],
  [/\bm\.one\b/g, "m.zero"],
  [/\bm\.zero\b/g, "m.one"],
  [/\bm\.lt\(/g, "m.eq("],
  [/(?<=[ (])add\(/g, "sub("],
  [/(?<=[ (])sub\((?=\w)/g, "add("],
  [/(?<=[ (])mul\(/g, "div("],
  [/!transpose/g, "transpose"],
  [/axis \+ 1\b/g, "axis"],
  [/ \+= /g, " = "],
  [/ \+ (?=[\w(])/g, " - "],
  [/ < (?=[\w(])/g, " <= "],
  [/ === (?=\w)/g, " !== "],
  [/ && (?=[\w!(])/g, " || "],
];

function filesBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

const root = "packages/core/src";
const targets = [...filesBelow(`${root}/ops`), ...filesBelow(`${root}/sweep`)].filter((file) =>
  file.includes(only),
);
const mutants = targets.flatMap((file) => {
  const text = readFileSync(file, "utf8");
  // Code only: comments and messages hold no rules.
  const code = text.replace(
    /\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|^import .*|^} from .*/gm,
    (part) => part.replace(/[^\n]/g, "·"),
  );
  return MUTATIONS.flatMap(([from, to]) =>
    [...code.matchAll(from)].map((match) => ({
      file,
      at: match.index,
      length: match[0].length,
      from: match[0],
      to,
    })),
  );
});

const copy = mkdtempSync(join(tmpdir(), "adjoint-mutants-"));
for (const name of [
  "package.json",
  "tsconfig.json",
  "tsconfig.base.json",
  "vitest.config.ts",
  "packages",
  "docs",
]) {
  cpSync(name, join(copy, name), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.includes("dist"),
  });
}
// Libraries are shared; the packages that tests import by name are the copy's.
mkdirSync(join(copy, "node_modules", "@adjoint"), { recursive: true });
for (const name of readdirSync("node_modules")) {
  if (name !== "@adjoint") symlinkSync(resolve("node_modules", name), join(copy, "node_modules", name));
}
for (const name of readdirSync("packages")) {
  symlinkSync(join(copy, "packages", name), join(copy, "node_modules", "@adjoint", name));
}
console.log(`${mutants.length} possible mutants, of which ${Math.min(count, mutants.length)}`);

let killed = 0;
let survived = 0;
for (let i = 0; i < count && mutants.length > 0; i++) {
  const [mutant] = mutants.splice(draw(mutants.length), 1);
  const { file, at, length, from, to } = mutant;
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.slice(0, at) + to + text.slice(at + length));
  const { status } = spawnSync(
    "npx",
    [
      "vitest",
      "run",
      "--bail",
      "1",
      "--typecheck.enabled=false",
      "packages/core/test",
      "packages/gradcheck/test",
    ],
    { cwd: copy, encoding: "utf8", timeout: 180_000, shell: process.platform === "win32" },
  );
  writeFileSync(path, text);
  if (status !== 0) killed++;
  else {
    survived++;
    const line = text.slice(0, at).split("\n").length;
    console.log(
      `survived: ${file}:${line} ${JSON.stringify(from)} → ${JSON.stringify(to)}: ${text.split("\n")[line - 1].trim()}`,
    );
  }
}
rmSync(copy, { recursive: true, force: true });
console.log(`${killed} killed, ${survived} survived`);
