// Mutation tests: breaks core's derivative rules, sweeps and transforms, one place at a time, and expects a test to fail.
//
// `npm run mutate -- [--only PATTERN] [--lines 10-80] [--sample N] [--seed 1] [--seconds 30] [--out mutants.txt]
// [--again mutants.txt]`. `--only` chooses files by their path, `--sample` draws so many mutants, seeded, `--again` takes
// those that an earlier run had left; a mutant is tried for so many seconds of tests. Tests run in processes of their own,
// each mutant against those alone that enter the function it is in, the quickest first. Sources are not written to.
// Decision 9 has the last results.
import { readFileSync, writeFileSync } from "node:fs";
import { mutantsOf, woven } from "./mutation/mutants.mjs";
import { makeRunner } from "./mutation/runner.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const out = option("out", "");
const { mutants, functions } = mutantsOf(new RegExp(option("only", "")));
const [firstLine, lastLine] = option("lines", "1-1000000").split("-").map(Number);

for (const [id, mutant] of mutants.entries()) mutant.id = id;

let state = Number(option("seed", 1));
const draw = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const sources = new Map();
const textOf = (file) => sources.get(file) ?? sources.set(file, readFileSync(file, "utf8")).get(file);
const short = (text) => text.replace(/\s+/g, " ").slice(0, 80);
/** What a mutant does, and the line it does it in. */
function described({ file, from, to, line }) {
  return `\`${short(from)}\` → \`${short(to)}\` in \`${textOf(file).split("\n")[line - 1].trim()}\``;
}
const earlier = option("again", "");
const again =
  earlier === ""
    ? null
    : readFileSync(earlier, "utf8").replace(/^(survived|not reached): (\S+):\d+ /gm, "$2 ");
const remaining = again === null ? null : new Set(again.split("\n"));
const chosen = mutants.filter(
  (mutant) =>
    mutant.line >= firstLine &&
    mutant.line <= lastLine &&
    (remaining === null || remaining.has(`${mutant.file} ${described(mutant)}`)),
);
const sample = Number(option("sample", chosen.length));
while (chosen.length > sample) chosen.splice(draw(chosen.length), 1);

/** The source files, telling `__hit` whenever a function is entered. */
function watched() {
  const texts = new Map();
  for (const file of new Set(functions.map((f) => f.file))) {
    let text = readFileSync(file, "utf8");
    const edits = functions.flatMap((f, n) => {
      const { start, end, block } = f;
      if (f.file !== file) return [];
      return block
        ? [{ at: start + 1, text: `__hit(${n});` }]
        : [
            { at: start, text: `(__hit(${n}), (` },
            { at: end, text: "))", closing: true },
          ];
    });
    edits.sort((a, b) => b.at - a.at || (a.closing ? 1 : -1));
    for (const { at, text: more } of edits) text = text.slice(0, at) + more + text.slice(at);
    texts.set(file, text.replace(/^/, "declare const __hit: (n: number) => void;"));
  }
  // What is generated once would be entered by the first test alone.
  const generation = "packages/core/src/generation.ts";
  const text = texts.get(generation) ?? readFileSync(generation, "utf8");
  texts.set(generation, text.replaceAll(/\bgenerates = .*;/g, "generates = false;"));
  return texts;
}

const runner = await makeRunner();
const began = performance.now();
await runner.bundleWith(watched());
const { results, failed: broken } = await runner.work({}, () => 120_000);
if (broken) throw new Error(`the tests must run in a bundle, but ${broken.message}`);
const left = results.filter(({ message }) => message !== null);
const tests = results.flatMap((test) =>
  test.message === null ? [{ ...test, hits: new Set(test.hits) }] : [],
);
tests.sort((a, b) => a.duration - b.duration);
const minutes = () => `${((performance.now() - began) / 60_000).toFixed(1)} min`;
console.log(
  `${tests.length} tests watched in ${minutes()}; left out, since they fail in a bundle: ${left.map(({ file, index, message }) => `${file} ${index}: ${message}`).join("; ") || "none"}`,
);

/** The tests that may notice a mutant, those first that noticed others in the same function. */
const noticed = new Map();
const seconds = Number(option("seconds", 30));
function candidates({ owners, file }) {
  const first = noticed.get(owners[0] ?? file) ?? [];
  const able = tests.filter((test) => owners.some((owner) => test.hits.has(owner)) && !first.includes(test));
  let sum = 0;
  return [
    ...first,
    ...able.filter(({ duration }) => {
      sum += duration;
      return sum < seconds * 1000;
    }),
  ];
}

const lines = [];
const say = (line) => {
  lines.push(line);
  if (out !== "") writeFileSync(out, `${lines.join("\n")}\n`);
};
const counts = new Map();
let slow = 0;
let built = "";
for (const [i, mutant] of chosen.entries()) {
  const { id, file, line, owners } = mutant;
  if (file !== built) {
    const own = chosen.filter((other) => other.file === file);
    await runner.bundleWith(new Map([[file, woven(textOf(file), own)]]));
    built = file;
  }
  const able = candidates(mutant);
  const { failed } = await runner.work(
    { mutant: id, tests: able.map(({ file, index }) => ({ file, index })) },
    (at) => 10_000 + 10 * (able[at]?.duration ?? 0),
  );
  let verdict;
  if (failed) {
    if (failed.message === "took too long") slow++;
    verdict = "killed";
    const test = able[failed.at];
    const key = owners[0] ?? file;
    if (test) noticed.set(key, [test, ...(noticed.get(key) ?? []).filter((t) => t !== test)].slice(0, 5));
  } else verdict = able.length === 0 ? "not reached" : "survived";
  const count = counts.get(file) ?? { killed: 0, survived: 0, "not reached": 0 };
  count[verdict]++;
  counts.set(file, count);
  if (verdict !== "killed") say(`${verdict}: ${file}:${line} ${described(mutant)}`);
  if ((i + 1) % 100 === 0) console.log(`${i + 1} of ${chosen.length} in ${minutes()}, ${lines.length} left`);
}
await runner.close();

const total = { killed: 0, survived: 0, "not reached": 0 };
for (const [file, count] of [...counts].sort()) {
  for (const key of Object.keys(total)) total[key] += count[key];
  say(
    `${file}: ${Object.entries(count)
      .map(([key, n]) => `${n} ${key}`)
      .join(", ")}`,
  );
}
say(
  `${chosen.length} of ${mutants.length} mutants: ${Object.entries(total)
    .map(([key, n]) => `${n} ${key}`)
    .join(", ")}, ${slow} of the killed by taking too long (${minutes()})`,
);
if (out === "") console.log(lines.join("\n"));
else console.log(lines.at(-1));
