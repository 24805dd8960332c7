/** ModuleBuilder: a WebAssembly module in its binary encoding, put together function by function. */

import { ByteBuffer } from "./bytes.ts";
import { FunctionBuilder, type FunctionReference, type Local, typeCodes, type WasmType } from "./function.ts";

export type { FunctionBuilder, FunctionReference, Local, WasmType } from "./function.ts";
export type {
  AtomicOpcode,
  LaneOpcode,
  LoadOpcode,
  Opcode,
  StoreOpcode,
} from "./opcodes.ts";

/** Sizes of an imported memory, in pages of 64 KiB. A shared memory needs a maximum. */
export interface MemoryPages {
  readonly minimum: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}

/** Section numbers of the binary format. */
const sections = { name: 0, type: 1, import: 2, function: 3, export: 7, code: 10 };
const kinds = { function: 0, memory: 2 };

/**
 * A module under construction.
 *
 * @example
 * const module = new ModuleBuilder();
 * module.define("add", ["i32", "i32"], ["i32"], (f, [a, b]) => f.get(a!).get(b!).op("i32.add"), { exported: true });
 * module.toBytes().subarray(0, 4) // [0, 97, 115, 109]
 */
export class ModuleBuilder {
  readonly #types = new Map<string, number>();
  readonly #typeEntries = new ByteBuffer();
  readonly #imports = new ByteBuffer();
  #importCount = 0;
  readonly #exports = new ByteBuffer();
  #exportCount = 0;
  /** All functions, imported ones first. */
  readonly #functions: FunctionReference[] = [];
  /** Type and code of the functions that are not imported. */
  readonly #defined: { readonly type: number; code: ByteBuffer }[] = [];

  /** Imports a function. All imports come before the first definition. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): FunctionReference {
    if (this.#defined.length > 0) {
      throw new Error(
        `importFunction: imports must come before definitions, got ${name} after ${this.#functions.at(-1)?.name}. Import it first.`,
      );
    }
    this.#imports.name(module);
    this.#imports.name(name);
    this.#imports.byte(kinds.function);
    this.#imports.u32(this.#typeOf(parameters, results));
    this.#importCount++;
    return this.#reference(name, parameters, results);
  }

  /** Imports the memory that loads and stores mean. */
  importMemory(module: string, name: string, { minimum, maximum, shared = false }: MemoryPages): void {
    this.#imports.name(module);
    this.#imports.name(name);
    this.#imports.byte(kinds.memory);
    this.#imports.byte((maximum === undefined ? 0 : 1) + (shared ? 2 : 0));
    this.#imports.u32(minimum);
    if (maximum !== undefined) this.#imports.u32(maximum);
    this.#importCount++;
  }

  /** Defines a function. The body may define others: a reference is good wherever it is called. */
  define(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
    body: (f: FunctionBuilder, parameters: readonly Local[]) => void,
    { exported = false }: { readonly exported?: boolean } = {},
  ): FunctionReference {
    const reference = this.#reference(name, parameters, results);
    const entry = { type: this.#typeOf(parameters, results), code: new ByteBuffer(0) };
    this.#defined.push(entry);
    if (exported) {
      this.#exports.name(name);
      this.#exports.byte(kinds.function);
      this.#exports.u32(reference.index);
      this.#exportCount++;
    }
    const f = new FunctionBuilder(parameters);
    body(f, f.parameters);
    entry.code = f.encode();
    return reference;
  }

  /** The module so far. Functions' names are in it, for profilers and stack traces. */
  toBytes(): Uint8Array {
    const size = this.#defined.reduce((sum, { code }) => sum + code.length, 1024);
    const out = new ByteBuffer(size);
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, count: number, write: (content: ByteBuffer) => void) => {
      if (count === 0) return;
      const content = new ByteBuffer(id === sections.code ? size : 1024);
      content.u32(count);
      write(content);
      out.byte(id);
      out.u32(content.length);
      out.append(content);
    };
    section(sections.type, this.#types.size, (content) => content.append(this.#typeEntries));
    section(sections.import, this.#importCount, (content) => content.append(this.#imports));
    section(sections.function, this.#defined.length, (content) => {
      for (const { type } of this.#defined) content.u32(type);
    });
    section(sections.export, this.#exportCount, (content) => content.append(this.#exports));
    section(sections.code, this.#defined.length, (content) => {
      for (const { code } of this.#defined) content.append(code);
    });
    this.#writeNames(out);
    return out.view();
  }

  /** The custom section of names, of which only the functions' subsection is written. */
  #writeNames(out: ByteBuffer): void {
    const names = new ByteBuffer();
    names.u32(this.#functions.length);
    for (const { index, name } of this.#functions) {
      names.u32(index);
      names.name(name);
    }
    const content = new ByteBuffer(names.length + 16);
    content.name("name");
    content.byte(1);
    content.u32(names.length);
    content.append(names);
    out.byte(sections.name);
    out.u32(content.length);
    out.append(content);
  }

  #reference(name: string, parameters: readonly WasmType[], results: readonly WasmType[]): FunctionReference {
    const reference = { index: this.#functions.length, name, parameters, results };
    this.#functions.push(reference);
    return reference;
  }

  /** The number of a function type, written at its first use. */
  #typeOf(parameters: readonly WasmType[], results: readonly WasmType[]): number {
    const key = `${parameters} ${results}`;
    const known = this.#types.get(key);
    if (known !== undefined) return known;
    const index = this.#types.size;
    this.#types.set(key, index);
    this.#typeEntries.byte(0x60);
    for (const types of [parameters, results]) {
      this.#typeEntries.u32(types.length);
      for (const type of types) this.#typeEntries.byte(typeCodes[type]);
    }
    return index;
  }
}
