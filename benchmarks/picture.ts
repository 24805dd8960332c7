/** The steps of a run as a picture: a panel a workload, a bar a contender, time on a logarithmic axis. */

import { barX, plot, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { workloads } from "./cases/index.ts";
import { entries } from "./contenders/index.ts";
import type { Timed } from "./harness.ts";
import { baseline, formatRatio, formatTime, type Results } from "./report.ts";

// Okabe and Ito, Color Universal Design (2008): told apart with any colour vision.
const COMPILED = "#0072b2";
const EAGER = "#56b4e9";
const OTHERS = "#b3b3b3";
/** Contenders of our own. */
const FILLS: ReadonlyMap<string, string> = new Map([
  ["eager", EAGER],
  ["compiled", COMPILED],
  ["threads", COMPILED],
  ["native", COMPILED],
  ["native-threads", COMPILED],
]);
const INK = "#333333";
const WIDTH = 790;
/** As wide as the longest title of a contender. */
const LEFT = 224;
const RIGHT = 130;
const BAR = 18;
const HEADING = 34;

/** What is drawn with. */
interface Element {
  setAttribute(name: string, value: string | number): void;
  removeAttribute(name: string): void;
  append(...children: (Element | string)[]): void;
  querySelector(selector: string): Element | null;
  remove(): void;
  readonly outerHTML: string;
}

/** An SVG file of all timed rows. */
export function picture({ rows, machine, date }: Results): string {
  const { document } = parseHTML("<html><body></body></html>");
  const create = (name: string, attributes: Record<string, string | number>, content?: string): Element => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name) as unknown as Element;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.append(content);
    return made;
  };
  const timed = rows.filter((row): row is Timed => row.state === "timed");
  const panels = workloads.flatMap(({ id, title }) => {
    const here = timed.filter(({ workload }) => workload === id);
    return here.length < 2 ? [] : [{ title, here }];
  });
  let top = 64;
  const svg = create("svg", {});
  const drawn = panels.map(({ title, here }) => {
    const height = HEADING + here.length * BAR + 12;
    const panel = create("g", { transform: `translate(0 ${top})` });
    panel.append(
      create("text", { x: 12, y: 20, "font-weight": "bold" }, title),
      bars(here, document, height),
    );
    top += height;
    return panel;
  });
  const attributes = {
    ...{ xmlns: "http://www.w3.org/2000/svg", role: "img", fill: INK, "font-family": "sans-serif" },
    ...{ "font-size": 12, width: WIDTH, height: top, viewBox: `0 0 ${WIDTH} ${top}` },
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  svg.append(
    create("title", {}, "Times of a step, Adjoint beside its peers"),
    create("rect", { width: WIDTH, height: top, fill: "#ffffff" }),
    create("text", { x: 12, y: 26, "font-size": 16, "font-weight": "bold" }, "A step, on a logarithmic axis"),
    create("text", { x: 12, y: 46 }, `${machine}. ${date}.`),
    ...drawn,
  );
  return `${svg.outerHTML.replaceAll("&nbsp;", "&#160;")}\n`;
}

/** The bars of one workload. */
function bars(rows: readonly Timed[], document: unknown, height: number): Element {
  const ours = baseline(rows);
  const times = rows.map(({ median }) => median);
  // A logarithmic axis has no zero: bars begin at a third of the shortest.
  const from = Math.min(...times) / 3;
  const data = rows.map(({ contender, median }) => ({
    name: entries.find(({ id }) => id === contender)?.title ?? contender,
    fill: FILLS.get(contender) ?? OTHERS,
    ...{ from, median },
    label: `${formatTime(median)}${ours === undefined || ours.median === median ? "" : `, ${formatRatio(median / ours.median)}×`}`,
  }));
  const drawn = plot({
    document: document as never,
    ...{
      width: WIDTH,
      height,
      marginLeft: LEFT,
      marginRight: RIGHT,
      marginTop: HEADING - 6,
      marginBottom: 6,
    },
    x: { type: "log", domain: [from, Math.max(...times)], axis: null },
    y: { label: null, tickSize: 0, domain: data.map(({ name }) => name) },
    marks: [
      barX(data, { x1: "from", x2: "median", y: "name", fill: "fill", insetTop: 1, insetBottom: 1 }),
      text(data, { x: "median", y: "name", text: "label", textAnchor: "start", dx: 6 }),
    ],
  }) as unknown as Element;
  drawn.querySelector("style")?.remove();
  drawn.removeAttribute("class");
  for (const name of ["font-family", "font-size"]) drawn.removeAttribute(name);
  drawn.setAttribute("color", INK);
  return drawn;
}
