import { describe, expect, it } from "vitest";
import {
  type AtomicOpcode,
  type FunctionBuilder,
  type LaneOpcode,
  type LoadOpcode,
  type Local,
  ModuleBuilder,
  type Opcode,
  type StoreOpcode,
  type WasmType,
} from "../../../src/targets/wasm/assembler.ts";
import { engine, hasRelaxedSimd, hasThreads } from "../../../src/targets/wasm/engine.ts";
import { encodings } from "../../../src/targets/wasm/opcodes.ts";

type Body = (f: FunctionBuilder, parameters: readonly Local[]) => void;

/** A module's one exported function, and the memory that it works on. */
function compile(parameters: readonly WasmType[], results: readonly WasmType[], body: Body, shared = false) {
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", { minimum: 1, maximum: 2, shared });
  module.define("run", parameters, results, body, { exported: true });
  const memory = new engine.Memory({ initial: 1, maximum: 2, shared });
  const instance = new engine.Instance(new engine.Module(module.toBytes()), { host: { memory } });
  const run = instance.exports["run"] as (...args: (number | bigint)[]) => number;
  return { run, memory };
}

/** What a function without parameters gives. */
const result = (type: WasmType, body: Body) => compile([], [type], body).run();

/** Sixteen bytes as JavaScript numbers, by way of the memory. */
function vector<T>(body: Body, lanes: (buffer: ArrayBufferLike) => ArrayLike<T>): T[] {
  const { run, memory } = compile([], [], (f, parameters) => {
    f.i32(16);
    body(f, parameters);
    f.store("v128.store");
  });
  run();
  return Array.from(lanes(memory.buffer));
}

const floats = (buffer: ArrayBufferLike) => new Float32Array(buffer, 16, 4);
const doubles = (buffer: ArrayBufferLike) => new Float64Array(buffer, 16, 2);
const words = (buffer: ArrayBufferLike) => new Int32Array(buffer, 16, 4);
const bytes = (buffer: ArrayBufferLike) => new Uint8Array(buffer, 16, 16);

describe("ModuleBuilder", () => {
  it("encodes the smallest module as the specification has it", () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const bytes = new ModuleBuilder().toBytes();
    expect([...bytes.subarray(0, 8)]).toEqual(header);
    expect(engine.validate(bytes)).toBe(true);
  });

  it("calls imported functions, and functions that are defined inside of another's body", () => {
    const module = new ModuleBuilder();
    const host = module.importFunction("host", "triple", ["f64"], ["f64"]);
    module.define(
      "outer",
      ["f64"],
      ["f64"],
      (f, [x]) => {
        const inner = module.define("inner", ["f64"], ["f64"], (g, [y]) =>
          g.get(y!).call(host).f64(1).op("f64.add"),
        );
        f.get(x!).call(inner).call(inner);
      },
      { exported: true },
    );
    const { exports } = new engine.Instance(new engine.Module(module.toBytes()), {
      host: { triple: (x: number) => 3 * x },
    });
    expect((exports["outer"] as (x: number) => number)(2)).toBe(22);
    expect(Object.keys(exports)).toEqual(["outer"]);
  });

  it("refuses imports after definitions", () => {
    const module = new ModuleBuilder();
    module.define("f", [], [], () => {});
    expect(() => module.importFunction("host", "g", [], [])).toThrow(
      "importFunction: imports must come before definitions, got g after f. Import it first.",
    );
  });

  it("names functions for stack traces", () => {
    const module = new ModuleBuilder();
    module.define("a name to find", [], [], (f) => f.op("unreachable"), { exported: true });
    const { exports } = new engine.Instance(new engine.Module(module.toBytes()), {});
    let stack = "";
    try {
      (exports["a name to find"] as () => void)();
    } catch (error) {
      stack = String((error as Error).stack);
    }
    expect(stack).toContain("a name to find");
  });

  it("encodes a function of a megabyte in well under a second", () => {
    const start = performance.now();
    const { run } = compile(["f64"], ["f64"], (f, [x]) => {
      f.f64(0);
      for (let i = 0; i < 100_000; i++) f.get(x!).op("f64.add");
    });
    expect(run(0.5)).toBe(50_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("FunctionBuilder", () => {
  it("keeps every 32-bit and 64-bit constant", () => {
    for (const n of [
      0, 1, -1, 63, 64, -64, -65, 8191, 8192, 0x7fffffff, -0x80000000, 0xffffffff, 123456789,
    ]) {
      expect(result("i32", (f) => f.i32(n))).toBe(n | 0);
    }
    for (const n of [0n, -1n, 63n, 64n, -65n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, 1234567890123n]) {
      expect(result("i64", (f) => f.i64(n))).toBe(BigInt.asIntN(64, n));
    }
    for (const x of [0, -0, 1.5, Math.PI, -1e300, 5e-324, Infinity, NaN]) {
      expect(result("f64", (f) => f.f64(x))).toBe(x);
      expect(result("f32", (f) => f.f32(x))).toBe(Math.fround(x));
    }
  });

  it("keeps vector constants", () => {
    expect(vector((f) => f.v128f32(Math.PI), floats)).toEqual(Array(4).fill(Math.fround(Math.PI)));
    expect(vector((f) => f.v128f64(Math.PI), doubles)).toEqual([Math.PI, Math.PI]);
    const all = Array.from({ length: 16 }, (_, i) => 3 * i);
    expect(vector((f) => f.v128(all), bytes)).toEqual(all);
  });

  it("tells variables of mixed types apart", () => {
    const { run } = compile(["i32"], ["f64"], (f, [n]) => {
      const a = f.local("f64");
      const b = f.local("i32");
      const c = f.local("f64");
      f.f64(0.5).set(a).get(n!).i32(1).op("i32.add").tee(b).op("f64.convert_i32_s").set(c);
      f.get(a).get(c).op("f64.add").get(b).op("f64.convert_i32_s").op("f64.mul");
    });
    expect(run(3)).toBe(4.5 * 4);
  });

  it("branches out of nested blocks and loops by label", () => {
    // The sum of 1 … n, but not beyond 100.
    const { run } = compile(["i32"], ["i32"], (f, [n]) => {
      const sum = f.local("i32");
      f.block((end) => {
        f.loop((head) => {
          f.get(n!).op("i32.eqz").branchIf(end);
          f.get(sum).get(n!).op("i32.add").set(sum);
          f.get(sum).i32(100).op("i32.gt_s");
          f.if(() => {
            f.i32(100).set(sum).branch(end);
          });
          f.get(n!).i32(1).op("i32.sub").set(n!).branch(head);
        });
      });
      f.get(sum);
    });
    expect([0, 1, 5, 13, 14, 1000].map((n) => run(n))).toEqual([0, 1, 15, 91, 100, 100]);
  });

  it("gives results from blocks and from both ways of if, and returns early", () => {
    const { run } = compile(["i32"], ["i32"], (f, [n]) => {
      f.get(n!).i32(7).op("i32.eq");
      f.if(() => f.i32(-7).return());
      f.block(() => {
        f.get(n!);
        f.if(
          () => f.i32(10),
          () => f.i32(20),
          "i32",
        );
      }, "i32");
    });
    expect([7, 1, 0].map((n) => run(n))).toEqual([-7, 10, 20]);
  });

  it("branches by table", () => {
    const { run } = compile(["i32"], ["i32"], (f, [n]) => {
      f.block((last) => {
        f.block((second) => {
          f.block((first) => f.get(n!).branchTable([first, second], last));
          f.i32(100).return();
        });
        f.i32(200).return();
      });
      f.i32(300);
    });
    expect([0, 1, 2, 99].map((n) => run(n))).toEqual([100, 200, 300, 300]);
  });

  it("computes with each instruction as JavaScript does", () => {
    const scalar: [Opcode, WasmType, number[], WasmType, number][] = [
      ["i32.div_s", "i32", [-7, 2], "i32", -3],
      ["i32.rem_u", "i32", [7, 4], "i32", 3],
      ["i32.rotl", "i32", [1, 31], "i32", -(2 ** 31)],
      ["i32.clz", "i32", [1], "i32", 31],
      ["i32.ge_u", "i32", [-1, 1], "i32", 1],
      ["i32.extend8_s", "i32", [255], "i32", -1],
      ["f32.sqrt", "f32", [2], "f32", Math.fround(Math.SQRT2)],
      ["f32.copysign", "f32", [2, -1], "f32", -2],
      ["f32.le", "f32", [1, 1], "i32", 1],
      ["f64.nearest", "f64", [2.5], "f64", 2],
      ["f64.max", "f64", [2.5, 3], "f64", 3],
      ["f64.ge", "f64", [1, 2], "i32", 0],
      ["f64.convert_i32_u", "i32", [-1], "f64", 2 ** 32 - 1],
      ["f32.demote_f64", "f64", [0.1], "f32", Math.fround(0.1)],
      ["f64.promote_f32", "f32", [0.1], "f64", Math.fround(0.1)],
      ["i32.trunc_f64_s", "f64", [-2.7], "i32", -2],
      ["i32.trunc_sat_f64_s", "f64", [1e20], "i32", 2 ** 31 - 1],
      ["i32.trunc_sat_f32_u", "f32", [-5], "i32", 0],
      ["i32.reinterpret_f32", "f32", [1], "i32", 0x3f800000],
      ["f32.reinterpret_i32", "i32", [0x3f800000], "f32", 1],
    ];
    for (const [name, from, operands, to, expected] of scalar) {
      const got = result(to, (f) => {
        for (const x of operands) from === "i32" ? f.i32(x) : from === "f32" ? f.f32(x) : f.f64(x);
        f.op(name);
      });
      expect(got, name).toBe(expected);
    }
    const long: [Opcode, bigint[], bigint][] = [
      ["i64.mul", [1n << 33n, 5n], 5n << 33n],
      ["i64.shr_s", [-(1n << 40n), 8n], -(1n << 32n)],
      ["i64.popcnt", [255n], 8n],
    ];
    for (const [name, operands, expected] of long) {
      const got = result("i64", (f) => {
        for (const x of operands) f.i64(x);
        f.op(name);
      });
      expect(got, name).toBe(expected);
    }
    expect(result("i64", (f) => f.i32(-5).op("i64.extend_i32_s"))).toBe(-5n);
    expect(result("i32", (f) => f.i64(-5n).op("i32.wrap_i64"))).toBe(-5);
    expect(result("f64", (f) => f.i64(1n << 52n).op("f64.reinterpret_i64"))).toBe(2 ** -1022);
    expect(result("f64", (f) => f.f64(1).f64(2).i32(0).op("select"))).toBe(2);
  });

  it("computes with vectors lane by lane", () => {
    const iota = (f: FunctionBuilder) =>
      f
        .v128f32(0)
        .f32(1)
        .lane("f32x4.replace_lane", 1)
        .f32(2)
        .lane("f32x4.replace_lane", 2)
        .f32(3)
        .lane("f32x4.replace_lane", 3);
    expect(vector((f) => iota(f).v128f32(2).op("f32x4.mul"), floats)).toEqual([0, 2, 4, 6]);
    expect(vector((f) => iota(f).v128f32(2).op("f32x4.pmin"), floats)).toEqual([0, 1, 2, 2]);
    expect(vector((f) => iota(f).v128f32(2).op("f32x4.lt"), words)).toEqual([-1, -1, 0, 0]);
    expect(
      vector(
        (f) =>
          f
            .v128f32(2)
            .v128f32(5)
            .v128([...Array(8).fill(255), ...Array(8).fill(0)])
            .op("v128.bitselect"),
        floats,
      ),
    ).toEqual([2, 2, 5, 5]);
    expect(
      vector((f) => iota(f).op("i32x4.trunc_sat_f32x4_s").i32(3).op("i32x4.splat").op("i32x4.add"), words),
    ).toEqual([3, 4, 5, 6]);
    expect(vector((f) => f.i32(-8).op("i32x4.splat").i32(1).op("i32x4.shr_s"), words)).toEqual([
      -4, -4, -4, -4,
    ]);
    expect(vector((f) => f.i32(-8).op("i32x4.splat").op("f32x4.convert_i32x4_s"), floats)).toEqual([
      -8, -8, -8, -8,
    ]);
    expect(
      vector((f) => f.f64(9).op("f64x2.splat").op("f64x2.sqrt").v128f64(1).op("f64x2.sub"), doubles),
    ).toEqual([2, 2]);
    expect(vector((f) => iota(f).op("f64x2.promote_low_f32x4"), doubles)).toEqual([0, 1]);
    expect(vector((f) => f.v128f64(2.5).op("f32x4.demote_f64x2_zero"), floats)).toEqual([2.5, 2.5, 0, 0]);
    expect(vector((f) => f.v128f64(2.5).op("f64x2.nearest"), doubles)).toEqual([2, 2]);
    expect(vector((f) => f.v128f64(-2.7).op("i32x4.trunc_sat_f64x2_s_zero"), words)).toEqual([-2, -2, 0, 0]);
    expect(
      vector(
        (f) =>
          f
            .i64(1n << 40n)
            .op("i64x2.splat")
            .i32(30)
            .op("i64x2.shr_u"),
        words,
      ),
    ).toEqual([1024, 0, 1024, 0]);
    expect(
      vector(
        (f) => iota(f).v128f32(7).shuffle([0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]),
        floats,
      ),
    ).toEqual([0, 7, 1, 7]);
    expect(
      vector(
        (f) => f.i32(200).op("i8x16.splat").op("i16x8.extend_low_i8x16_u").op("i32x4.extend_high_i16x8_s"),
        words,
      ),
    ).toEqual([200, 200, 200, 200]);
    expect(result("f32", (f) => iota(f).lane("f32x4.extract_lane", 3))).toBe(3);
    expect(result("i32", (f) => f.i32(255).op("i8x16.splat").lane("i8x16.extract_lane_s", 15))).toBe(-1);
    expect(result("i32", (f) => f.i32(-1).op("i32x4.splat").op("i32x4.bitmask"))).toBe(15);
    expect(result("i32", (f) => iota(f).op("v128.any_true"))).toBe(1);
  });

  it("reads and writes memory at offsets", () => {
    const { run, memory } = compile(["i32"], ["f32"], (f, [at]) => {
      f.get(at!).f32(1.5).store("f32.store", 4);
      f.get(at!).i32(-1).store("i32.store8", 8);
      f.get(at!).get(at!).load("v128.load32_splat", 4).store("v128.store", 200);
      f.i32(300).get(at!).load("v128.load32_zero", 4).laneMemory("v128.store32_lane", 0);
      f.i32(400).i32(104).v128f32(9).laneMemory("v128.load32_lane", 2).store("v128.store");
      f.get(at!).load("f32.load", 208);
    });
    expect(run(100)).toBe(1.5);
    expect(new Float32Array(memory.buffer, 300, 4)).toEqual(new Float32Array([1.5, 1.5, 1.5, 1.5]));
    expect(new Uint8Array(memory.buffer, 108, 2)).toEqual(new Uint8Array([255, 0]));
    expect(new Float32Array(memory.buffer, 400, 4)).toEqual(new Float32Array([9, 9, 1.5, 9]));
  });

  it("copies, fills and grows memory", () => {
    const { run, memory } = compile([], ["i32"], (f) => {
      f.i32(32).i32(7).i32(4).memoryFill();
      f.i32(64).i32(30).i32(8).memoryCopy();
      f.i32(1).memoryGrow().i32(10).op("i32.mul").memorySize().op("i32.add");
    });
    expect(run()).toBe(12);
    expect([...new Uint8Array(memory.buffer, 64, 8)]).toEqual([0, 0, 7, 7, 7, 7, 0, 0]);
    expect(run()).toBe(-8);
  });

  it("works on shared memory atomically", () => {
    const { run, memory } = compile(
      ["i32"],
      ["i32"],
      (f, [at]) => {
        f.get(at!).i32(5).atomic("i32.atomic.rmw.add", 4).drop();
        f.get(at!).i32(1).atomic("memory.atomic.notify", 4).drop();
        f.atomicFence();
        f.get(at!).i32(5).i32(8).atomic("i32.atomic.rmw.cmpxchg", 4);
        f.get(at!).atomic("i32.atomic.load", 4).op("i32.add");
      },
      true,
    );
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(run(16)).toBe(5 + 8);
    // Does not wait: 6 is not what is there.
    const wait = (f: FunctionBuilder) => f.i32(16).i32(6).i64(-1n).atomic("memory.atomic.wait32");
    expect(compile([], ["i32"], wait, true).run()).toBe(1);
  });
});

describe("encodings", () => {
  const types = ["i32", "i64", "f32", "f64", "v128"] as const;
  /** What instructions take. */
  const operands: readonly (readonly WasmType[])[] = [
    [],
    ...types.flatMap((a): WasmType[][] => [
      [a],
      [a, a],
      ["i32", a],
      ["v128", a],
      [a, a, "i32"],
      ["i32", a, a],
    ]),
    ["v128", "v128", "v128"],
    ["i32", "i32", "i64"],
  ];
  const results: readonly (readonly WasmType[])[] = [[], ["i32"], ["i64"], ["f32"], ["f64"], ["v128"]];

  it("are instructions that the engine knows, each of them", () => {
    for (const name of encodings.keys()) {
      if (name.includes("relaxed") && !hasRelaxedSimd()) continue;
      const accepts = operands.some((taken) =>
        results.some((outcome) => {
          const module = new ModuleBuilder();
          module.importMemory("host", "memory", { minimum: 1, maximum: 1, shared: true });
          module.define("f", taken, outcome, (f, parameters) => {
            for (const parameter of parameters) f.get(parameter);
            if (name.includes("atomic")) f.atomic(name as AtomicOpcode);
            else if (/(load|store)\d*_lane/.test(name)) f.laneMemory(name as "v128.load8_lane", 0);
            else if (/extract_lane|replace_lane/.test(name)) f.lane(name as LaneOpcode, 1);
            else if (/\.load/.test(name)) f.load(name as LoadOpcode);
            else if (/\.store/.test(name)) f.store(name as StoreOpcode);
            else f.op(name as Opcode);
          });
          return engine.validate(module.toBytes());
        }),
      );
      expect(accepts, name).toBe(true);
    }
  });
});

describe("engine", () => {
  it("has relaxed SIMD since Node 21, and threads", () => {
    const major = Number(process.versions.node.split(".")[0]);
    expect(hasRelaxedSimd()).toBe(major >= 21);
    expect(hasThreads()).toBe(true);
  });
});
