/** Curves, such as a loss over epochs, as a standalone SVG picture. */

import { ArgumentError } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { dot, line, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { domainOf, formatTick, linearTicks, logTicks, type Scale, widen } from "./ticks.ts";

/** One curve. */
export interface Series {
  /** What the legend calls it. */
  readonly name: string;
  /** Where its points stand; by default at 1, 2, 3, …, as epochs are counted. */
  readonly x?: ArrayLike<number>;
  /** NaN and infinities, and on a logarithmic axis numbers ≤ 0, leave a gap. */
  readonly y: ArrayLike<number>;
}

/** An axis. */
export interface Axis {
  readonly label: string;
  /** "linear" by default. */
  readonly scale?: Scale;
}

/** A picture of curves. */
export interface CurvesOptions {
  readonly title: string;
  readonly x: Pick<Axis, "label">;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Pixels; by default 720, at least 200. */
  readonly width?: number;
  /** Pixels; by default 420. A legend of many lines makes the picture higher where it must. */
  readonly height?: number;
}

const CURVES: OptionNames<CurvesOptions> = {
  title: true,
  x: true,
  y: true,
  series: true,
  width: true,
  height: true,
};

// Told apart with any colour vision: M. Okabe and K. Ito, Color Universal Design (2008), without its yellow, which is
// too light for a line on white.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** Once the colours are used up they begin again, dashed. */
const DASHES = ["none", "6 3", "2 3", "8 3 2 3"];

const INK = "#333333";
const LEFT = 64;
const RIGHT = 24;
const BOTTOM = 48;
/** The least height that is left for the curves. */
const LEAST = 80;
const LEGEND_TOP = 50;
const LEGEND_LINE = 18;
/** Upper estimate of a letter's width at 12 pixels, since no font is measured. */
const LETTER = 6.8;
const SWATCH = 22;
const LONGEST_NAME = 48;

/** The parts of a document that the picture is drawn with. */
interface Element {
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  append(...children: Element[]): void;
  insertBefore(child: Element, before: Element | null): void;
  querySelector(selector: string): Element | null;
  remove(): void;
  readonly firstChild: Element | null;
  textContent: string | null;
  readonly outerHTML: string;
}

interface Drawing {
  createElementNS(namespace: string, name: string): Element;
}

const SVG = "http://www.w3.org/2000/svg";

function element(
  document: Drawing,
  name: string,
  attributes: Record<string, string | number>,
  text?: string,
): Element {
  const created = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  if (text !== undefined) created.textContent = text;
  return created;
}

/** Characters that XML 1.0 does not allow, not even escaped (section 2.2, Char). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function clean(text: string): string {
  return text.replaceAll(FORBIDDEN, "").replaceAll(/\s+/g, " ").trim();
}

interface Entry {
  readonly name: string;
  readonly colour: string;
  readonly dash: string;
  readonly at: number;
  readonly row: number;
}

/** Where the legend's entries stand: one after the other, in as many rows as they need. */
function legend(series: readonly Series[], width: number): Entry[] {
  const right = width - RIGHT;
  let at = LEFT;
  let row = 0;
  return series.map((one, i) => {
    const full = clean(one.name);
    const name = full.length > LONGEST_NAME ? `${full.slice(0, LONGEST_NAME - 1)}…` : full;
    const room = SWATCH + 6 + name.length * LETTER;
    if (at > LEFT && at + room > right) {
      at = LEFT;
      row++;
    }
    const entry = {
      name,
      colour: COLOURS[i % COLOURS.length] as string,
      dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length] as string,
      at,
      row,
    };
    at += room + 14;
    return entry;
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A series as points, with NaN where there is a gap. */
function pointsOf(series: Series, scale: Scale): Point[] {
  const { name, x, y } = series;
  if (x !== undefined && x.length !== y.length) {
    throw new ArgumentError({
      where: "curves",
      expected: `series ${JSON.stringify(name)} must have an x for each y`,
      received: `${x.length} and ${y.length}`,
    });
  }
  return Array.from({ length: y.length }, (_, i) => {
    const here = x === undefined ? i + 1 : (x[i] as number);
    const height = y[i] as number;
    const drawn = Number.isFinite(here) && Number.isFinite(height) && (scale === "linear" || height > 0);
    return { x: here, y: drawn ? height : Number.NaN };
  });
}

/** The points without a neighbour to draw a line to. */
function isolated(points: readonly Point[]): Point[] {
  const gap = (i: number) => Number.isNaN(points[i]?.y ?? Number.NaN);
  return points.filter((_, i) => !gap(i) && gap(i - 1) && gap(i + 1));
}

/**
 * Curves over a common axis as the text of an SVG file, with title, legend and axes, on white.
 *
 * Throws: ArgumentError where there is no series, one has not as many x as y, or the width is less than 200.
 *
 * @example
 * const svg = curves({
 *   title: "Training",
 *   x: { label: "epoch" },
 *   y: { label: "loss", scale: "log" },
 *   series: [{ name: "training", y: [1, 0.5, 0.2] }, { name: "validation", y: [1.1, 0.7, 0.6] }],
 * });
 * svg.startsWith("<svg") // true
 */
export function curves(options: CurvesOptions): string {
  const { title, series, width = 720 } = checkOptions("curves", options, CURVES);
  const { scale = "linear" } = options.y;
  if (series.length === 0) {
    throw new ArgumentError({
      where: "curves",
      expected: "series must hold at least one curve",
      received: "none",
    });
  }
  if (scale !== "linear" && scale !== "log") {
    throw new ArgumentError({
      where: "curves",
      expected: 'scale must be "linear" or "log"',
      received: JSON.stringify(scale),
    });
  }
  if (!(width >= 200)) {
    throw new ArgumentError({ where: "curves", expected: "width must be ≥ 200", received: String(width) });
  }
  const points = series.map((one) => pointsOf(one, scale));
  const entries = legend(series, width);
  const all = points.flat().filter(({ y }) => !Number.isNaN(y));
  const rows = (entries.at(-1)?.row ?? 0) + 1;
  const top = LEGEND_TOP + rows * LEGEND_LINE + 24;
  const height = Math.max(options.height ?? 420, top + BOTTOM + LEAST);
  const xs = all.map(({ x }) => x);
  const xDomain = domainOf(xs, "linear");
  const yDomain = widen(
    domainOf(
      all.map(({ y }) => y),
      scale,
    ),
    0.04,
    scale,
  );
  const columns = Math.max(2, Math.round((width - LEFT - RIGHT) / 80));
  const lines = Math.max(2, Math.round((height - top - BOTTOM) / 50));
  const { document } = parseHTML("<html><body></body></html>");
  const svg = plot({
    document,
    width,
    height,
    marginTop: top,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginBottom: BOTTOM,
    x: {
      type: "linear",
      domain: xDomain,
      label: clean(options.x.label),
      labelArrow: "none",
      labelAnchor: "center",
      labelOffset: 40,
      ticks: linearTicks(xDomain, columns, xs.every(Number.isInteger)),
      tickFormat: formatTick,
    },
    y: {
      type: scale,
      domain: yDomain,
      label: null,
      ticks: scale === "log" ? logTicks(yDomain) : linearTicks(yDomain, lines, false),
      tickFormat: formatTick,
      grid: true,
    },
    marks: points.flatMap((curve, i) => {
      const { colour, dash } = entries[i] as Entry;
      return [
        line(curve, { x: "x", y: "y", stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
        dot(isolated(curve), { x: "x", y: "y", fill: colour, r: 3 }),
      ];
    }),
  }) as unknown as Element;
  const drawing = document as unknown as Drawing;

  // Plot's style sheet is for web pages; a file of its own says everything in attributes.
  svg.querySelector("style")?.remove();
  svg.removeAttribute("class");
  const attributes = { xmlns: SVG, role: "img", color: INK, "font-family": "sans-serif", "font-size": 12 };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, String(value));
  const background = element(drawing, "rect", { width, height, fill: "#ffffff" });
  svg.insertBefore(background, svg.firstChild);
  svg.insertBefore(element(drawing, "title", {}, clean(title)), background);
  const heading = {
    x: LEFT,
    y: 30,
    "text-anchor": "start",
    "font-size": 16,
    "font-weight": "bold",
    fill: INK,
  };
  svg.append(element(drawing, "text", heading, clean(title)));
  const above = { x: LEFT, y: top - 14, "text-anchor": "start", fill: INK };
  svg.append(element(drawing, "text", above, clean(options.y.label)));
  const group = element(drawing, "g", { "text-anchor": "start", fill: INK, "aria-label": "legend" });
  for (const { name, colour, dash, at, row } of entries) {
    const y = LEGEND_TOP + row * LEGEND_LINE;
    const stroke = { stroke: colour, "stroke-width": 3, "stroke-dasharray": dash };
    group.append(
      element(drawing, "line", { x1: at, x2: at + SWATCH, y1: y, y2: y, ...stroke }),
      element(drawing, "text", { x: at + SWATCH + 6, y: y + 4 }, name),
    );
  }
  svg.append(group);
  // The document is HTML, whose one named entity that XML lacks is this.
  return `${svg.outerHTML.replaceAll("&nbsp;", "&#160;")}\n`;
}
