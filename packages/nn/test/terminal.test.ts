import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatFigure, formatSeconds, terminalProgress } from "../src/node.ts";

const record = (epoch: number) => ({
  epoch,
  loss: 0.25,
  metrics: { accuracy: 0.925 },
  validation: { loss: 0.5, metrics: { accuracy: 0.9 } },
  learningRate: 0.1,
  seconds: 2.5,
});

/** A stream that keeps what is written to it. */
function screen(columns: number | null): { stream: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const writable = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const stream = Object.assign(writable, columns === null ? {} : { isTTY: true, columns });
  // A terminal is more than what the bar uses of it.
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

async function run(columns: number | null): Promise<string> {
  const { stream, text } = screen(columns);
  const progress = terminalProgress({ stream, percent: ["accuracy"] });
  progress.start?.({ epochs: 2, epoch: 0, examples: 1000, done: 0 });
  for (let batch = 1; batch <= 10; batch++) {
    progress.batch?.({ epoch: 1, batch, done: 100 * batch, batchLoss: 0.3, loss: 0.3 });
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  progress.epoch?.(record(1));
  progress.epoch?.(record(2));
  progress.stop?.();
  progress.stop?.();
  return text();
}

describe("terminalProgress", () => {
  test("terminalProgress writes one plain line an epoch to a file or pipe", async () => {
    expect(await run(null)).toBe(
      "epoch 1/2  loss 0.2500  accuracy 92.50%  validation 0.5000  90.00%  2.5 s\n" +
        "epoch 2/2  loss 0.2500  accuracy 92.50%  validation 0.5000  90.00%  2.5 s\n",
    );
  });

  test.each([120, 80, 50, 30, 10])(
    "terminalProgress draws a bar within %i columns, and takes it away at the end",
    async (columns) => {
      const text = await run(columns);
      // The parts that the terminal would show, between its control sequences.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences.
      const shown = text.split(/\x1b(?:\[[\d;?]*[A-Za-z]|[78])/).flatMap((part) => part.split("\n"));
      const drawn = shown.filter((part) => part.includes("left") || part.includes("█"));
      for (const part of drawn) expect([...part].length).toBeLessThanOrEqual(columns - 2);
      if (columns >= 50) {
        expect(drawn.some((part) => /^epoch 1\/2 {2}█+░+ {2}loss 0\.3000 .* left$/.test(part))).toBe(true);
      }
      expect(text).toContain("epoch 1/2  loss 0.2500  accuracy 92.50%");
      expect(text.endsWith("\x1b[J") || text.endsWith("2.5 s\n")).toBe(true);
    },
  );

  test("terminalProgress never hides the cursor or switches line wrapping off", async () => {
    const text = await run(80);
    expect(text).not.toContain("\x1b[?25l");
    expect(text).not.toContain("\x1b[?7l");
  });
});

describe("formatFigure", () => {
  test.each([
    [0, "0.0000"],
    [0.12345, "0.1235"],
    [12.345, "12.35"],
    [1234.5, "1235"],
    [-0.5, "-0.5000"],
    [1e-5, "1.00e-5"],
    [123456, "1.23e+5"],
    [Number.NaN, "NaN"],
  ])("formatFigure(%d) is %s", (x, text) => {
    expect(formatFigure(x)).toBe(text);
  });
});

describe("formatSeconds", () => {
  test.each([
    [0.04, "0.0 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1:00"],
    [61, "1:01"],
    [3725, "1:02:05"],
  ])("formatSeconds(%d) is %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
