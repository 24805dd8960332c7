import { describe, expect, test } from "vitest";
import {
  batch,
  fraction,
  OPTIMIZERS,
  oneOf,
  positive,
  resumed,
  SCHEDULES,
  settingsOf,
  sizes,
  whole,
} from "../src/settings.ts";

describe("settingsOf", () => {
  test("settingsOf fills in what suits MNIST, and what suits a table", () => {
    expect(settingsOf({})).toMatchObject({ hidden: [128], batchSize: 128, epochs: 6, validation: 0 });
    const table = settingsOf({ csv: "a.csv", target: "x" });
    expect(table).toMatchObject({ hidden: [64], batchSize: 32, epochs: 100, validation: 0.2 });
  });

  test("settingsOf holds images back to validate on where the run may stop early", () => {
    expect(settingsOf({ patience: 3 }).validation).toBeCloseTo(5000 / 60000);
  });

  test("settingsOf takes each optimiser's own learning rate", () => {
    expect(settingsOf({ optimizer: "sgd" }).learningRate).toBe(0.1);
    expect(settingsOf({ optimizer: "sgd", learningRate: 0.5 }).learningRate).toBe(0.5);
  });

  test.each([
    [{ csv: "a.csv" }, "--target: must name the column to predict, got none. Add --target COLUMN."],
    [{ csv: "a.csv", data: "d" }, "--csv: must not be given together with --data, got both."],
    [{ target: "x" }, '--target: must come with --csv, got "x".'],
    [{ task: "regression" }, '--task: must come with --csv, got "regression".'],
    [
      { patience: 3, validation: 0 },
      "--patience: must have examples to validate on, got --validation 0. Leave one of the two out.",
    ],
  ] as const)("settingsOf refuses %j", (given, message) => {
    expect(() => settingsOf(given)).toThrow(message);
  });
});

describe("resumed", () => {
  const before = settingsOf({ seed: 4 });

  test("resumed lets epochs, patience, learning rate and schedule change", () => {
    const given = { epochs: 20, learningRate: 0.5, schedule: "constant" } as const;
    expect(resumed(before, given)).toEqual({ ...before, ...given });
  });

  test("resumed takes what is given again, if it is the same", () => {
    expect(resumed(before, { hidden: [128], seed: 4 })).toEqual(before);
  });

  test.each([
    [{ hidden: [] }, "--hidden: must be 128, as in the run to resume, got none."],
    [{ batchSize: 1 }, "--batch-size: must be 128, as in the run to resume, got 1."],
    [{ csv: "a.csv" }, "--resume: the run to resume was trained on MNIST, got a.csv."],
  ] as const)("resumed refuses %j", (given, message) => {
    expect(() => resumed(before, given)).toThrow(message);
  });
});

describe("options", () => {
  test("options are read as what they stand for", () => {
    expect(whole("--epochs", 1, "12")).toBe(12);
    expect(positive("--learning-rate", "1e-3")).toBe(0.001);
    expect(fraction("--validation", "0")).toBe(0);
    expect(sizes("--hidden", "128, 64")).toEqual([128, 64]);
    expect(sizes("--hidden", "none")).toEqual([]);
    expect(batch("--batch-size", "full")).toBe("full");
    expect(batch("--batch-size", "1")).toBe(1);
    expect(oneOf("--activation", ["relu", "tanh"], "ReLU")).toBe("relu");
  });

  test.each([
    [() => whole("--epochs", 1, "0"), '--epochs: must be a whole number ≥ 1, got "0".'],
    [() => whole("--seed", 0, ""), '--seed: must be a whole number ≥ 0, got "".'],
    [() => positive("--learning-rate", "-1"), '--learning-rate: must be a number > 0, got "-1".'],
    [() => positive("--learning-rate", "Infinity"), '--learning-rate: must be a number > 0, got "Infinity".'],
    [() => fraction("--validation", "1"), '--validation: must be a number in [0, 1), got "1".'],
    [
      () => sizes("--hidden", "12,,3"),
      '--hidden: must be whole numbers ≥ 1 with commas between them, or "none", got "12,,3".',
    ],
    [() => batch("--batch-size", "1.5"), '--batch-size: must be a whole number ≥ 1 or "full", got "1.5".'],
    [() => oneOf("--activation", ["relu"], "rely"), '--activation: must be one of relu, got "rely".'],
  ])("options that are wrong are refused (case %#)", (read, message) => {
    expect(read).toThrow(message);
  });

  test("every schedule falls from the first rate, or stays, and every optimiser has a rate", () => {
    for (const schedule of Object.values(SCHEDULES)) {
      const rate = schedule(0.5, 6);
      expect(rate(0)).toBeCloseTo(0.5);
      expect(rate(5)).toBeLessThanOrEqual(rate(0));
      expect(rate(5)).toBeGreaterThan(0);
    }
    for (const { learningRate } of Object.values(OPTIMIZERS)) expect(learningRate).toBeGreaterThan(0);
  });
});
