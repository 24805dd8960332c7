/** FunctionBuilder: the code of one WebAssembly function, written instruction by instruction. */

import { ByteBuffer } from "./bytes.ts";
import {
  type AtomicOpcode,
  type Encoding,
  encodings,
  type LaneMemoryOpcode,
  type LaneOpcode,
  type LoadOpcode,
  type Opcode,
  type StoreOpcode,
} from "./opcodes.ts";

/** A type of WebAssembly values. */
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

/** The binary encoding of the types. */
export const typeCodes: Readonly<Record<WasmType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** A parameter or a variable of a function. */
export interface Local {
  readonly index: number;
  readonly type: WasmType;
}

/** Where a branch leads: the end of a block or the head of a loop. */
export interface Label {
  readonly depth: number;
}

/** A function of a module, imported or defined. */
export interface FunctionReference {
  readonly index: number;
  readonly name: string;
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

const emptyBlock = 0x40;

/** Writes a function's instructions in their order; operands go on the stack first, as WebAssembly has it. */
export class FunctionBuilder {
  readonly parameters: readonly Local[];
  readonly #code = new ByteBuffer();
  /** Declared variables as runs of one type, as the encoding has them. */
  readonly #runs: { count: number; readonly type: WasmType }[] = [];
  readonly #released = new Map<WasmType, Local[]>();
  #locals: number;
  #depth = 0;

  constructor(parameters: readonly WasmType[]) {
    this.parameters = parameters.map((type, index) => ({ index, type }));
    this.#locals = parameters.length;
  }

  /** A variable: a new one, which is 0 at first, or one that was released. */
  local(type: WasmType): Local {
    const released = this.#released.get(type)?.pop();
    if (released !== undefined) return released;
    const last = this.#runs.at(-1);
    if (last?.type === type) last.count++;
    else this.#runs.push({ count: 1, type });
    return { index: this.#locals++, type };
  }

  /**
   * Says that a variable's value is not read any more. Engines bound the number of variables, and take longer the more
   * there are.
   */
  release(local: Local): void {
    const others = this.#released.get(local.type);
    if (others === undefined) this.#released.set(local.type, [local]);
    else others.push(local);
  }

  get(local: Local): this {
    return this.#indexed(0x20, local.index);
  }

  set(local: Local): this {
    return this.#indexed(0x21, local.index);
  }

  /** Sets a variable and leaves the value on the stack. */
  tee(local: Local): this {
    return this.#indexed(0x22, local.index);
  }

  i32(value: number): this {
    this.#code.byte(0x41);
    this.#code.s32(value);
    return this;
  }

  i64(value: bigint): this {
    this.#code.byte(0x42);
    this.#code.s64(value);
    return this;
  }

  f32(value: number): this {
    this.#code.byte(0x43);
    this.#code.f32(value);
    return this;
  }

  f64(value: number): this {
    this.#code.byte(0x44);
    this.#code.f64(value);
    return this;
  }

  /** A constant of 16 bytes. */
  v128(bytes: ArrayLike<number>): this {
    this.#opcode(0xfd000c);
    this.#code.bytes(bytes);
    return this;
  }

  /** The number in four float32 lanes. */
  v128f32(value: number): this {
    this.#opcode(0xfd000c);
    for (let lane = 0; lane < 4; lane++) this.#code.f32(value);
    return this;
  }

  /** The number in two float64 lanes. */
  v128f64(value: number): this {
    this.#opcode(0xfd000c);
    for (let lane = 0; lane < 2; lane++) this.#code.f64(value);
    return this;
  }

  /** An instruction that nothing follows. */
  op(name: Opcode): this {
    this.#opcode(encodingOf(name).opcode);
    return this;
  }

  /** Takes or replaces a lane. */
  lane(name: LaneOpcode, lane: number): this {
    this.#opcode(encodingOf(name).opcode);
    this.#code.byte(lane);
    return this;
  }

  /** Sixteen bytes out of two vectors' 32, by their numbers. */
  shuffle(bytes: readonly number[]): this {
    this.#opcode(0xfd000d);
    this.#code.bytes(bytes);
    return this;
  }

  /** Reads memory at the address on the stack plus an offset. */
  load(name: LoadOpcode, offset = 0): this {
    return this.#memory(encodingOf(name), offset);
  }

  /** Writes memory: address, then value on the stack. */
  store(name: StoreOpcode, offset = 0): this {
    return this.#memory(encodingOf(name), offset);
  }

  /** Moves one lane from or to memory: address, then vector on the stack. */
  laneMemory(name: LaneMemoryOpcode, lane: number, offset = 0): this {
    this.#memory(encodingOf(name), offset);
    this.#code.byte(lane);
    return this;
  }

  /**
   * An atomic access; waits and notifications too.
   *
   * A wait wants a function of its own: the baseline compiler of Node 20 does not keep registers across one.
   */
  atomic(name: AtomicOpcode, offset = 0): this {
    return this.#memory(encodingOf(name), offset);
  }

  atomicFence(): this {
    this.#opcode(0xfe0003);
    this.#code.byte(0);
    return this;
  }

  /** A block; branches to its label leave it. With a result, the body leaves a value of that type on the stack. */
  block(body: (end: Label) => void, result?: WasmType): this {
    return this.#nested(0x02, body, result);
  }

  /** A loop; branches to its label begin it again, and without one it ends. */
  loop(body: (head: Label) => void, result?: WasmType): this {
    return this.#nested(0x03, body, result);
  }

  /** Takes a condition off the stack. With a result, both ways leave a value of that type on the stack. */
  if(then: () => void, otherwise?: () => void, result?: WasmType): this {
    return this.#nested(
      0x04,
      () => {
        then();
        if (otherwise === undefined) return;
        this.#code.byte(0x05);
        otherwise();
      },
      result,
    );
  }

  branch(label: Label): this {
    return this.#indexed(0x0c, this.#depth - label.depth);
  }

  branchIf(label: Label): this {
    return this.#indexed(0x0d, this.#depth - label.depth);
  }

  /** Branches to the label that the number on the stack counts out, or to the last one. */
  branchTable(labels: readonly Label[], otherwise: Label): this {
    this.#code.byte(0x0e);
    this.#code.u32(labels.length);
    for (const label of labels) this.#code.u32(this.#depth - label.depth);
    this.#code.u32(this.#depth - otherwise.depth);
    return this;
  }

  return(): this {
    this.#code.byte(0x0f);
    return this;
  }

  call(callee: FunctionReference): this {
    return this.#indexed(0x10, callee.index);
  }

  drop(): this {
    this.#code.byte(0x1a);
    return this;
  }

  /** The size of the memory, in pages of 64 KiB. */
  memorySize(): this {
    return this.#indexed(0x3f, 0);
  }

  /** Takes a number of pages, leaves the size before in pages, or −1 if there is no room. */
  memoryGrow(): this {
    return this.#indexed(0x40, 0);
  }

  /** Takes destination, source and number of bytes. */
  memoryCopy(): this {
    this.#opcode(0xfc000a);
    this.#code.bytes([0, 0]);
    return this;
  }

  /** Takes destination, byte and number of bytes. */
  memoryFill(): this {
    this.#opcode(0xfc000b);
    this.#code.byte(0);
    return this;
  }

  /** The function's entry in the code section. */
  encode(): ByteBuffer {
    const locals = new ByteBuffer(64);
    locals.u32(this.#runs.length);
    for (const { count, type } of this.#runs) {
      locals.u32(count);
      locals.byte(typeCodes[type]);
    }
    const size = locals.length + this.#code.length + 1;
    const entry = new ByteBuffer(size + 5);
    entry.u32(size);
    entry.append(locals);
    entry.append(this.#code);
    entry.byte(0x0b);
    return entry;
  }

  #nested(opcode: number, body: (label: Label) => void, result: WasmType | undefined): this {
    this.#code.byte(opcode);
    this.#code.byte(result === undefined ? emptyBlock : typeCodes[result]);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#code.byte(0x0b);
    return this;
  }

  #indexed(opcode: number, index: number): this {
    this.#code.byte(opcode);
    this.#code.u32(index);
    return this;
  }

  #memory({ opcode, alignment }: Encoding, offset: number): this {
    this.#opcode(opcode);
    this.#code.u32(alignment);
    this.#code.u32(offset);
    return this;
  }

  #opcode(opcode: number): void {
    if (opcode > 0xff) {
      this.#code.byte(opcode >> 16);
      this.#code.u32(opcode & 0xffff);
    } else this.#code.byte(opcode);
  }
}

const encodingOf = (name: string): Encoding => encodings.get(name) as Encoding;
