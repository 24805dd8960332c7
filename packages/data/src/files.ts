/** Reads data files; Node only. */

import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { type CsvOptions, parseCsv } from "./csv.ts";
import { type IdxArray, parseIdx } from "./idx.ts";
import type { Table } from "./table.ts";

/** The contents of a file, decompressed where it is gzip. */
async function readBytes(path: string | URL): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/**
 * Reads an IDX file, gzip or not.
 *
 * Throws: Node's own error for a file that cannot be read; otherwise as `parseIdx`.
 */
export async function readIdx(path: string | URL): Promise<IdxArray> {
  return parseIdx(await readBytes(path));
}

/**
 * Reads a CSV file in UTF-8, gzip or not.
 *
 * Throws: Node's own error for a file that cannot be read; otherwise as `parseCsv`.
 */
export async function readCsv(path: string | URL, options: CsvOptions = {}): Promise<Table> {
  return parseCsv(new TextDecoder().decode(await readBytes(path)), options);
}
