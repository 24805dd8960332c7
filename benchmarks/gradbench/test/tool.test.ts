import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Workload, workloads } from "../inputs.ts";
import { linesOf } from "../protocol.ts";

const tool = fileURLToPath(new URL("../tool.ts", import.meta.url));

/** A session with the tool: what is sent, in chunks, and the lines that come back. */
async function session(chunks: readonly string[], ...options: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", tool, ...options]);
  let [out, errors] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    errors += data;
  });
  // A tool that ends early closes its input.
  child.stdin.on("error", () => {});
  for (const chunk of chunks) child.stdin.write(chunk);
  child.stdin.end();
  const status = await new Promise((resolve) => child.on("close", resolve));
  const lines = out.split("\n");
  expect(lines.pop()).toBe("");
  return { status, errors, answers: lines.map((line) => JSON.parse(line)) };
}

const message = (id: number, kind: string, rest: object = {}) => `${JSON.stringify({ id, kind, ...rest })}\n`;
const evaluate = (id: number, module: string, name: string, input: unknown) =>
  message(id, "evaluate", { module, function: name, input });

test("a session is answered line by line, and every run is timed in whole nanoseconds", async () => {
  const { status, answers, errors } = await session(
    [
      message(0, "start", { eval: "lse" }),
      message(1, "define", { module: "lse" }),
      evaluate(2, "lse", "primal", { x: [1, 2, 3], min_runs: 5, min_seconds: 0 }),
      message(3, "analysis", { of: 2, valid: true }),
      evaluate(4, "lse", "gradient", { x: [1, 2, 3], min_runs: 1, min_seconds: 0.05 }),
      message(5, "analysis", { of: 4, valid: false, error: "no" }),
      message(6, "a kind that is not known"),
    ],
    "--no-prepare",
  );
  expect([status, errors]).toEqual([0, ""]);
  expect(answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(answers[0]).toEqual({ id: 0, tool: "adjoint" });
  expect(answers[1]).toEqual({ id: 1, success: true });
  for (const id of [3, 5, 6]) expect(answers[id]).toEqual({ id });
  const [primal, gradient] = [answers[2], answers[4]];
  expect([primal.success, primal.output]).toEqual([true, expect.closeTo(3.4076059644443806, 12)]);
  expect(primal.timings).toHaveLength(5);
  expect(gradient.output).toHaveLength(3);
  const timings: { name: string; nanoseconds: number }[] = gradient.timings;
  expect(timings.every(({ name, nanoseconds }) => name === "evaluate" && Number.isInteger(nanoseconds))).toBe(
    true,
  );
  const total = timings.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  expect(total).toBeGreaterThanOrEqual(0.05e9);
  expect(total - (timings.at(-1)?.nanoseconds ?? 0)).toBeLessThan(0.05e9);
});

test("what depends on sizes alone is prepared before the runs, and how long that took is said", async () => {
  const input = { x: [1, 2, 3], min_runs: 2, min_seconds: 0 };
  const { answers } = await session([evaluate(0, "lse", "gradient", input)], "--threads", "1");
  const timings: { name: string; nanoseconds: number }[] = answers[0].timings;
  expect(timings.map(({ name }) => name)).toEqual(["prepare", "evaluate", "evaluate"]);
  expect(timings[0]?.nanoseconds).toBeGreaterThan(timings[1]?.nanoseconds as number);
});

test("what depends on the input's numbers is captured in the first run", async () => {
  const [workload] = workloads["ht"] as readonly Workload[];
  const { answers } = await session([
    evaluate(0, "ht", "objective", { ...(workload?.input() as object), min_runs: 1, min_seconds: 0 }),
  ]);
  expect(answers[0]).toMatchObject({ success: true, timings: [{ name: "evaluate" }] });
});

test("what is wrong is said in the answer, and the session goes on", async () => {
  const once = { min_runs: 1, min_seconds: 0 };
  const { status, answers } = await session(
    [
      message(0, "define", { module: "nothing" }),
      message(1, "define", { module: "toString" }),
      message(2, "define", {}),
      evaluate(3, "lse", "hessian", {}),
      evaluate(4, "lse", "primal", { ...once, x: [1, "2"] }),
      evaluate(5, "lse", "primal", { ...once, x: [1, 2], min_runs: -1 }),
      evaluate(6, "gmm", "objective", { ...once, d: 2, k: 1, n: 1 }),
      evaluate(7, "det", "primal", { ...once, A: [1, 2, 3], ell: 2 }),
      evaluate(8, "lse", "primal", { ...once, x: [null] }),
      evaluate(9, "kmeans", "cost", { ...once, points: [[1], [1, 2]], centroids: [[1]] }),
      evaluate(10, "ode", "primal", { ...once, x: [1e308, 1e308], s: 1 }),
      "this is no message\n",
      "[]\n",
      evaluate(11, "hello", "square", 4),
    ],
    "--target",
    "eager",
  );
  expect(status).toBe(0);
  const modules =
    "module must be one of hello, llsq, lse, det, ode, gmm, kmeans, lstm, ba, ht, particle, saddle";
  const expected = [
    `${modules}, got "nothing".`,
    `${modules}, got "toString".`,
    `${modules}, got nothing.`,
    'function must be one of primal, gradient, got "hessian".',
    'input: x must be numbers in lists of 2, got "2".',
    "input: min_runs must be a number ≥ 0, got -1.",
    "input: gamma must be a number, got nothing.",
    "input: A must be a list of 4, got [1,2,3].",
    "input: x must be numbers in lists of 1, got null.",
    "input: points must be a list of 1, got [1,2].",
    "the result must be finite, got Infinity in it.",
  ];
  expect(answers.slice(0, -3)).toEqual(expected.map((error, id) => ({ id, success: false, error })));
  const [garbage, list, square] = answers.slice(-3);
  expect(garbage).toMatchObject({ id: -1, success: false });
  expect(garbage.error).toMatch(
    /^a line must be a JSON object with a whole id and a kind, got this is no message/,
  );
  expect(list).toMatchObject({ id: -1, success: false });
  expect(square).toMatchObject({ id: 11, success: true, output: 16 });
});

test("a line of tens of megabytes is read, from chunks and without a line feed at its end", async () => {
  const n = 1_280_000;
  const x = Array.from({ length: n }, (_, i) => ((i * 7919) % n) / n);
  const line = evaluate(0, "lse", "gradient", { x, min_runs: 1, min_seconds: 0 }).trimEnd();
  const chunks = Array.from({ length: 100 }, (_, i) => {
    const size = Math.ceil(line.length / 100);
    return line.slice(i * size, (i + 1) * size);
  });
  const { answers } = await session(chunks);
  expect(answers).toHaveLength(1);
  expect(answers[0].output).toHaveLength(n);
  expect(answers[0].output.reduce((sum: number, p: number) => sum + p)).toBeCloseTo(1, 10);
});

test("the tool refuses a target that it does not know, on standard error", async () => {
  const { status, errors, answers } = await session([], "--target", "fortran");
  expect([status, answers]).toEqual([1, []]);
  expect(errors).toContain("Allowed choices are eager, interpret, wasm, c.");
});

test("linesOf cuts lines wherever chunks end, and leaves out empty ones", async () => {
  const bytes = Buffer.from('{"é":1}\n\n{"b":"→"}\r\n{"c":3}');
  for (const size of [1, 2, 5, 100]) {
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const lines: string[] = [];
    for await (const line of linesOf(chunks())) lines.push(line);
    expect(lines).toEqual(['{"é":1}', '{"b":"→"}', '{"c":3}']);
  }
});
