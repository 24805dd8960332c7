/**
 * WebAssembly's instructions by their names in the specification.
 *
 * Source: WebAssembly Core Specification, release 3.0, "Index of Instructions"; the threads proposal for atomics.
 */

/** Opcodes after a prefix byte stand above 0xffff: the prefix in the bits above the lower 16. */
const vector = 0xfd0000;
const saturating = 0xfc0000;
const atomic = 0xfe0000;

const integerTests = [
  "eqz",
  "eq",
  "ne",
  "lt_s",
  "lt_u",
  "gt_s",
  "gt_u",
  "le_s",
  "le_u",
  "ge_s",
  "ge_u",
] as const;
const laneTests = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"] as const;
const floatTests = ["eq", "ne", "lt", "gt", "le", "ge"] as const;
const integerUnary = ["clz", "ctz", "popcnt"] as const;
const integerArithmetic = ["add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u"] as const;
const integerBits = ["and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"] as const;
const floatUnary = ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"] as const;
const floatBinary = ["add", "sub", "mul", "div", "min", "max", "copysign"] as const;
const laneBinary = ["sqrt", "add", "sub", "mul", "div", "min", "max", "pmin", "pmax"] as const;
const laneShifts = ["shl", "shr_s", "shr_u"] as const;
const laneOrders = ["min_s", "min_u", "max_s", "max_u"] as const;

/** Runs of consecutive opcodes: the first, what stands before the dot, and what stands after it. */
const runs = [
  [0x45, "i32", integerTests],
  [0x50, "i64", integerTests],
  [0x5b, "f32", floatTests],
  [0x61, "f64", floatTests],
  [0x67, "i32", integerUnary],
  [0x6a, "i32", integerArithmetic],
  [0x71, "i32", integerBits],
  [0x79, "i64", integerUnary],
  [0x7c, "i64", integerArithmetic],
  [0x83, "i64", integerBits],
  [0x8b, "f32", floatUnary],
  [0x92, "f32", floatBinary],
  [0x99, "f64", floatUnary],
  [0xa0, "f64", floatBinary],
  [0xa7, "i32", ["wrap_i64", "trunc_f32_s", "trunc_f32_u", "trunc_f64_s", "trunc_f64_u"]],
  [0xac, "i64", ["extend_i32_s", "extend_i32_u", "trunc_f32_s", "trunc_f32_u", "trunc_f64_s", "trunc_f64_u"]],
  [0xb2, "f32", ["convert_i32_s", "convert_i32_u", "convert_i64_s", "convert_i64_u", "demote_f64"]],
  [0xb7, "f64", ["convert_i32_s", "convert_i32_u", "convert_i64_s", "convert_i64_u", "promote_f32"]],
  [0xbc, "i32", ["reinterpret_f32"]],
  [0xbd, "i64", ["reinterpret_f64"]],
  [0xbe, "f32", ["reinterpret_i32"]],
  [0xbf, "f64", ["reinterpret_i64"]],
  [0xc0, "i32", ["extend8_s", "extend16_s"]],
  [0xc2, "i64", ["extend8_s", "extend16_s", "extend32_s"]],

  [saturating + 0, "i32", ["trunc_sat_f32_s", "trunc_sat_f32_u", "trunc_sat_f64_s", "trunc_sat_f64_u"]],
  [saturating + 4, "i64", ["trunc_sat_f32_s", "trunc_sat_f32_u", "trunc_sat_f64_s", "trunc_sat_f64_u"]],

  [vector + 14, "i8x16", ["swizzle", "splat"]],
  [vector + 16, "i16x8", ["splat"]],
  [vector + 17, "i32x4", ["splat"]],
  [vector + 18, "i64x2", ["splat"]],
  [vector + 19, "f32x4", ["splat"]],
  [vector + 20, "f64x2", ["splat"]],
  [vector + 35, "i8x16", laneTests],
  [vector + 45, "i16x8", laneTests],
  [vector + 55, "i32x4", laneTests],
  [vector + 65, "f32x4", floatTests],
  [vector + 71, "f64x2", floatTests],
  [vector + 77, "v128", ["not", "and", "andnot", "or", "xor", "bitselect", "any_true"]],
  [vector + 94, "f32x4", ["demote_f64x2_zero"]],
  [vector + 95, "f64x2", ["promote_low_f32x4"]],
  [vector + 96, "i8x16", ["abs", "neg", "popcnt", "all_true", "bitmask", "narrow_i16x8_s", "narrow_i16x8_u"]],
  [vector + 103, "f32x4", ["ceil", "floor", "trunc", "nearest"]],
  [vector + 107, "i8x16", laneShifts],
  [vector + 110, "i8x16", ["add", "add_sat_s", "add_sat_u", "sub", "sub_sat_s", "sub_sat_u"]],
  [vector + 116, "f64x2", ["ceil", "floor"]],
  [vector + 118, "i8x16", laneOrders],
  [vector + 122, "f64x2", ["trunc"]],
  [vector + 128, "i16x8", ["abs", "neg"]],
  [vector + 131, "i16x8", ["all_true", "bitmask", "narrow_i32x4_s", "narrow_i32x4_u"]],
  [
    vector + 135,
    "i16x8",
    ["extend_low_i8x16_s", "extend_high_i8x16_s", "extend_low_i8x16_u", "extend_high_i8x16_u"],
  ],
  [vector + 139, "i16x8", laneShifts],
  [vector + 142, "i16x8", ["add", "add_sat_s", "add_sat_u", "sub", "sub_sat_s", "sub_sat_u"]],
  [vector + 148, "f64x2", ["nearest"]],
  [vector + 149, "i16x8", ["mul", ...laneOrders]],
  [vector + 160, "i32x4", ["abs", "neg"]],
  [vector + 163, "i32x4", ["all_true", "bitmask"]],
  [
    vector + 167,
    "i32x4",
    ["extend_low_i16x8_s", "extend_high_i16x8_s", "extend_low_i16x8_u", "extend_high_i16x8_u"],
  ],
  [vector + 171, "i32x4", [...laneShifts, "add"]],
  [vector + 177, "i32x4", ["sub"]],
  [vector + 181, "i32x4", ["mul", ...laneOrders, "dot_i16x8_s"]],
  [vector + 192, "i64x2", ["abs", "neg"]],
  [vector + 195, "i64x2", ["all_true", "bitmask"]],
  [
    vector + 199,
    "i64x2",
    ["extend_low_i32x4_s", "extend_high_i32x4_s", "extend_low_i32x4_u", "extend_high_i32x4_u"],
  ],
  [vector + 203, "i64x2", [...laneShifts, "add"]],
  [vector + 209, "i64x2", ["sub"]],
  [vector + 213, "i64x2", ["mul", "eq", "ne", "lt_s", "gt_s", "le_s", "ge_s"]],
  [vector + 224, "f32x4", ["abs", "neg"]],
  [vector + 227, "f32x4", laneBinary],
  [vector + 236, "f64x2", ["abs", "neg"]],
  [vector + 239, "f64x2", laneBinary],
  [vector + 248, "i32x4", ["trunc_sat_f32x4_s", "trunc_sat_f32x4_u"]],
  [vector + 250, "f32x4", ["convert_i32x4_s", "convert_i32x4_u"]],
  [vector + 252, "i32x4", ["trunc_sat_f64x2_s_zero", "trunc_sat_f64x2_u_zero"]],
  [vector + 254, "f64x2", ["convert_low_i32x4_s", "convert_low_i32x4_u"]],

  // Relaxed SIMD: results may differ between machines, never within one run of one.
  [vector + 0x100, "i8x16", ["relaxed_swizzle"]],
  [vector + 0x101, "i32x4", ["relaxed_trunc_f32x4_s", "relaxed_trunc_f32x4_u"]],
  [vector + 0x103, "i32x4", ["relaxed_trunc_f64x2_s_zero", "relaxed_trunc_f64x2_u_zero"]],
  [vector + 0x105, "f32x4", ["relaxed_madd", "relaxed_nmadd"]],
  [vector + 0x107, "f64x2", ["relaxed_madd", "relaxed_nmadd"]],
  [vector + 0x109, "i8x16", ["relaxed_laneselect"]],
  [vector + 0x10a, "i16x8", ["relaxed_laneselect"]],
  [vector + 0x10b, "i32x4", ["relaxed_laneselect"]],
  [vector + 0x10c, "i64x2", ["relaxed_laneselect"]],
  [vector + 0x10d, "f32x4", ["relaxed_min", "relaxed_max"]],
  [vector + 0x10f, "f64x2", ["relaxed_min", "relaxed_max"]],
] as const;

/** Instructions that take or give a lane: the number of the lane follows the opcode. */
const laneRuns = [
  [vector + 21, "i8x16", ["extract_lane_s", "extract_lane_u", "replace_lane"]],
  [vector + 24, "i16x8", ["extract_lane_s", "extract_lane_u", "replace_lane"]],
  [vector + 27, "i32x4", ["extract_lane", "replace_lane"]],
  [vector + 29, "i64x2", ["extract_lane", "replace_lane"]],
  [vector + 31, "f32x4", ["extract_lane", "replace_lane"]],
  [vector + 33, "f64x2", ["extract_lane", "replace_lane"]],
] as const;

/** Memory instructions: a run's opcodes, and the binary logarithm of the bytes that each moves. */
const loadRuns = [
  [0x28, "i32", ["load"], [2]],
  [0x29, "i64", ["load"], [3]],
  [0x2a, "f32", ["load"], [2]],
  [0x2b, "f64", ["load"], [3]],
  [0x2c, "i32", ["load8_s", "load8_u", "load16_s", "load16_u"], [0, 0, 1, 1]],
  [0x30, "i64", ["load8_s", "load8_u", "load16_s", "load16_u", "load32_s", "load32_u"], [0, 0, 1, 1, 2, 2]],
  [vector + 0, "v128", ["load", "load8x8_s", "load8x8_u", "load16x4_s", "load16x4_u"], [4, 3, 3, 3, 3]],
  [vector + 5, "v128", ["load32x2_s", "load32x2_u"], [3, 3]],
  [vector + 7, "v128", ["load8_splat", "load16_splat", "load32_splat", "load64_splat"], [0, 1, 2, 3]],
  [vector + 92, "v128", ["load32_zero", "load64_zero"], [2, 3]],
] as const;

const storeRuns = [
  [0x36, "i32", ["store"], [2]],
  [0x37, "i64", ["store"], [3]],
  [0x38, "f32", ["store"], [2]],
  [0x39, "f64", ["store"], [3]],
  [0x3a, "i32", ["store8", "store16"], [0, 1]],
  [0x3c, "i64", ["store8", "store16", "store32"], [0, 1, 2]],
  [vector + 11, "v128", ["store"], [4]],
] as const;

/** Moves between memory and one lane: address and lane follow the opcode. */
const laneMemoryRuns = [
  [vector + 84, "v128", ["load8_lane", "load16_lane", "load32_lane", "load64_lane"], [0, 1, 2, 3]],
  [vector + 88, "v128", ["store8_lane", "store16_lane", "store32_lane", "store64_lane"], [0, 1, 2, 3]],
] as const;

const atomicRuns = [
  [atomic + 0x00, "memory.atomic", ["notify", "wait32", "wait64"], [2, 2, 3]],
  [atomic + 0x10, "i32.atomic", ["load"], [2]],
  [atomic + 0x11, "i64.atomic", ["load"], [3]],
  [atomic + 0x17, "i32.atomic", ["store"], [2]],
  [atomic + 0x18, "i64.atomic", ["store"], [3]],
  [atomic + 0x1e, "i32.atomic", ["rmw.add"], [2]],
  [atomic + 0x1f, "i64.atomic", ["rmw.add"], [3]],
  [atomic + 0x25, "i32.atomic", ["rmw.sub"], [2]],
  [atomic + 0x26, "i64.atomic", ["rmw.sub"], [3]],
  [atomic + 0x2c, "i32.atomic", ["rmw.and"], [2]],
  [atomic + 0x33, "i32.atomic", ["rmw.or"], [2]],
  [atomic + 0x3a, "i32.atomic", ["rmw.xor"], [2]],
  [atomic + 0x41, "i32.atomic", ["rmw.xchg"], [2]],
  [atomic + 0x42, "i64.atomic", ["rmw.xchg"], [3]],
  [atomic + 0x48, "i32.atomic", ["rmw.cmpxchg"], [2]],
  [atomic + 0x49, "i64.atomic", ["rmw.cmpxchg"], [3]],
] as const;

type Run = readonly [first: number, before: string, after: readonly string[], sizes?: readonly number[]];

/** What a run's instructions are called. */
type Named<R> = R extends readonly [
  number,
  infer B extends string,
  readonly (infer A extends string)[],
  ...unknown[],
]
  ? `${B}.${A}`
  : never;

/** An instruction that nothing follows. */
export type Opcode = Named<(typeof runs)[number]> | "unreachable" | "nop" | "select";
/** An instruction that a lane's number follows. */
export type LaneOpcode = Named<(typeof laneRuns)[number]>;
/** An instruction that reads memory. */
export type LoadOpcode = Named<(typeof loadRuns)[number]>;
/** An instruction that writes memory. */
export type StoreOpcode = Named<(typeof storeRuns)[number]>;
/** An instruction that moves one lane from or to memory. */
export type LaneMemoryOpcode = Named<(typeof laneMemoryRuns)[number]>;
/** An instruction on memory that other threads see happen at once. */
export type AtomicOpcode = Named<(typeof atomicRuns)[number]>;

/** The opcode of an instruction, and the binary logarithm of the bytes that it moves if it does. */
export interface Encoding {
  readonly opcode: number;
  readonly alignment: number;
}

/** Every instruction of the tables above. */
export const encodings: ReadonlyMap<string, Encoding> = /* @__PURE__ */ (() => {
  const all = new Map<string, Encoding>([
    ["unreachable", { opcode: 0x00, alignment: 0 }],
    ["nop", { opcode: 0x01, alignment: 0 }],
    ["select", { opcode: 0x1b, alignment: 0 }],
  ]);
  const tables: readonly (readonly Run[])[] = [
    runs,
    laneRuns,
    loadRuns,
    storeRuns,
    laneMemoryRuns,
    atomicRuns,
  ];
  for (const [first, before, after, sizes] of tables.flat()) {
    after.forEach((name, i) => {
      all.set(`${before}.${name}`, { opcode: first + i, alignment: sizes?.[i] ?? 0 });
    });
  }
  return all;
})();
