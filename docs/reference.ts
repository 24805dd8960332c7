/** Writes the reference pages: `npm run reference`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { referencePages } from "./testing/reference.ts";

mkdirSync("docs/reference", { recursive: true });
for (const name of readdirSync("docs/reference")) rmSync(`docs/reference/${name}`);
for (const [name, text] of referencePages()) writeFileSync(`docs/reference/${name}`, text);
