/** What `compile` does, whatever the target. */

import { compile as compileFor, explain, type Target } from "@adjoint/compiler";
import {
  add,
  buffer,
  capture,
  checkpoint,
  cond,
  customVjp,
  detectAnomaly,
  exp,
  gather,
  grad,
  hessian,
  jacobian,
  jvp,
  matmul,
  mean,
  mul,
  noGrad,
  parameter,
  sin,
  stopGradient,
  sum,
  take,
  type Value,
  value,
  valueAndGrad,
  vmap,
  where,
  whileLoop,
} from "@adjoint/core";
import { describe, expect, test } from "vitest";

/** A target that counts how often programs are prepared and run. */
function countingWith(base: Target): Target & { prepared: number; runs: number } {
  const counter = {
    name: "counting",
    prepared: 0,
    runs: 0,
    prepare: (program: Parameters<Target["prepare"]>[0]) => {
      counter.prepared++;
      const executable = base.prepare(program);
      const run = executable.run.bind(executable);
      executable.run = (args) => {
        counter.runs++;
        return run(args);
      };
      return executable;
    },
  };
  return counter;
}

const gradOf = (x: Value) => x.grad as Value | null;

const list = (y: unknown): unknown => (Array.isArray(y) ? y.map(list) : (y as Value).toArray());

/** Holds results to others, but for the last digits: functions have their own there, and sums their order. */
function expectAlike(got: unknown, expected: unknown, what: string): void {
  const [a, b] = [got, expected].map((y) => [list(y)].flat(9) as number[]) as [number[], number[]];
  expect(a.length, what).toBe(b.length);
  a.forEach((y, i) => {
    expect(Math.abs(y - (b[i] as number)), what).toBeLessThanOrEqual(1e-14 * Math.abs(y));
  });
}

/** Holds `compile` to what it promises, on a target. */
export function holdCompile(base: Target): void {
  describe(base.name, () => {
    const counting = () => countingWith(base);
    const compile: typeof compileFor = (f: (...args: never[]) => unknown, options = {}) =>
      compileFor(f as never, { target: base, ...options }) as never;

    describe("compile of functions of values", () => {
      test("captures once for each signature", () => {
        const target = counting();
        let calls = 0;
        const f = compile(
          (x: Value) => {
            calls++;
            return x.mul(2);
          },
          { target },
        );
        expect(f(value([1, 2])).toArray()).toEqual([2, 4]);
        expect(f(value([3, 4])).toArray()).toEqual([6, 8]);
        expect(f(value([5])).toArray()).toEqual([10]);
        expect(f(value(new Float32Array([1, 2]))).dtype).toBe("float32");
        expect(f(value([7, 8])).toArray()).toEqual([14, 16]);
        expect([calls, target.prepared, target.runs]).toEqual([3, 3, 5]);
      });

      test("takes numbers, texts, booleans, arrays and objects; numbers are inputs", () => {
        const target = counting();
        const f = compile(
          (
            { a, b }: { a: Value; b: readonly [Value | number, Value] },
            rate: Value | number,
            mode: string,
          ) => (mode === "sum" ? add(a, b[1]).mul(rate) : a.mul(b[0])),
          { target },
        );
        const at = (a: number, b: number, c: number) => ({ a: value([a]), b: [b, value([c])] as const });
        expect(f(at(1, 2, 3), 10, "sum").toArray()).toEqual([40]);
        expect(f(at(2, 2, 3), 100, "sum").toArray()).toEqual([500]);
        expect(f(at(2, 5, 3), 100, "first").toArray()).toEqual([10]);
        expect(f(at(2, 6, 3), 100, "first").toArray()).toEqual([12]);
        expect(target.prepared).toBe(2);
      });

      test("returns values, numbers, nothing, and structures of them", () => {
        const f = compile((x: Value) => ({ y: [x.exp(), 3], none: undefined, text: "t", x }));
        const x = value(0);
        expect(f(x)).toEqual({ y: [value(1), 3], none: undefined, text: "t", x });
        expect(f(x).x).toBe(x);
        expect(compile((_: Value) => undefined)(x)).toBe(undefined);
      });

      test("returns arguments, parameters and constants themselves, and one value for one", () => {
        const w = parameter([1, 2]);
        const c = value([5]);
        const f = compile((x: Value) => {
          const y = x.mul(2);
          return [x, w, c, y, y] as const;
        });
        const x = value([1, 1]);
        const [rx, rw, rc, y, again] = f(x);
        expect([rx === x, rw === w, rc === c, y === again]).toEqual([true, true, true, true]);
        expect(f(value([2, 2]))[0].toArray()).toEqual([2, 2]);
        expect((f as unknown as (x: number) => Value[])(3)[0]?.item()).toBe(3);
      });

      test("results stay what they are when the next call runs", () => {
        const f = compile((x: Value) => [x.mul(2), x.reshape([2, 1])] as const);
        const first = f(value([1, 2]));
        f(value([10, 20]));
        expect(first.map((y) => y.toArray())).toEqual([
          [2, 4],
          [[1], [2]],
        ]);
      });

      test("takes the same value twice, ignores arguments that are not used", () => {
        const f = compile((a: Value, b: Value, _unused: Value) => a.mul(b));
        const x = value([3]);
        expect(f(x, x, value([1, 2, 3])).toArray()).toEqual([9]);
        expect(f(value([2]), x, value([1, 2, 3])).toArray()).toEqual([6]);
      });

      test("can be prepared for a signature, which runs nothing", () => {
        let captures = 0;
        const w = parameter([1, 2]);
        const f = compile((x: Value) => {
          captures++;
          w.assign(w.add(x));
          return w.mul(2);
        });
        f.prepare(value([1, 1]));
        f.prepare(value([3, 4]));
        expect([captures, w.toArray()]).toEqual([1, [1, 2]]);
        expect(f(value([1, 1])).toArray()).toEqual([4, 6]);
        expect([captures, w.toArray()]).toEqual([1, [2, 3]]);
        const looking = compile((x: Value) => x.mul(x.item()));
        expect(() => looking.prepare(2)).toThrow("item: data that is known");
      });

      test("keeps no more than 64 signatures", () => {
        const target = counting();
        const f = compile((x: Value) => x.sum(), { target });
        for (let n = 1; n <= 65; n++) f(value(new Float64Array(n)));
        expect(target.prepared).toBe(65);
        f(value(new Float64Array(65)));
        f(value(new Float64Array(2)));
        expect(target.prepared).toBe(65);
        f(value(new Float64Array(1)));
        expect(target.prepared).toBe(66);
      });

      test("explains what it became, and compiles again after dispose", () => {
        const target = counting();
        const w = parameter([1, 2], { label: "w" });
        const f = compile((x: Value, n: Value | number) => x.mul(n).add(w), { target });
        expect(explain(f)).toBe("Not called yet.");
        f(value([1, 2]), 3);
        expect(explain(f).split("\n")[0]).toBe("(float64 [2], number)");
        f.dispose();
        expect(f(value([1, 2]), 3).toArray()).toEqual([4, 8]);
        expect(target.prepared).toBe(2);
        expect(() => explain(((x: Value) => x) as never)).toThrow(
          "explain: a function that compile() made, got a function.",
        );
      });

      test("is disposed by using, where the engine has it", () => {
        const f = compile((x: Value) => x.mul(2));
        f(1);
        if (Symbol.dispose !== undefined) f[Symbol.dispose]();
        expect(explain(f)).toBe("Not called yet.");
      });
    });

    describe("compile of what cannot be compiled", () => {
      test("says so for other things than functions, and async ones", () => {
        expect(() => compile(3 as never)).toThrow("compile: f must be a function, got 3.");
        expect(() => compile(async (x: Value) => x)).toThrow("compile: f must not be async, got a function");
        expect(() => compile(((x: Value) => Promise.resolve(x)) as never)(1 as never)).toThrow(
          "compile: the result must be a value, a number, a text, a boolean, or an array or plain object of such, got a Promise. An async function cannot be compiled: await outside, and compile what computes.",
        );
      });

      test("says so for arguments and results of other classes", () => {
        const f = compile((x: Map<string, number>) => x.size);
        expect(() => f(new Map() as never)).toThrow(
          "compile: argument 0 must be a value, a number, a text, a boolean, or an array or plain object of such, got a Map. Let the function read other things from outside.",
        );
        expect(() => compile((x: Value) => ({ a: [new Set([x])] }))(1)).toThrow(
          "compile: the result.a[0] must be a value, a number, a text, a boolean, or an array or plain object of such, got a Set.",
        );
      });

      test("says so where data is read", () => {
        const w = parameter([1, 2], { label: "w" });
        expect(() => compile((x: Value) => (x.item() > 0 ? x : x.neg()))(1)).toThrow(
          "item: data that is known, got an argument of a captured function, of shape [], which is being captured and has only a type. Express the choice with where(), or compute the number outside.",
        );
        expect(() => compile(() => w.toArray())()).toThrow(
          'toArray: data that is known, got "w" [2], which is being captured and has only a type. Express the choice with where(), or compute the number outside.',
        );
        expect(w.toArray()).toEqual([1, 2]);
      });

      test("leaves everything as it was when the function throws", () => {
        const w = parameter([1, 2]);
        w.grad = value([5, 5]);
        let fail = true;
        const f = compile((x: Value) => {
          w.grad = null;
          w.mul(x).sum().backward();
          w.assign(w.sub(x));
          if (fail) throw new Error("no");
          return w.sum();
        });
        expect(() => f(value([1, 1]))).toThrow("no");
        expect([w.toArray(), gradOf(w)?.toArray(), w.version]).toEqual([[1, 2], [5, 5], 0]);
        expect(w.mul(2).isDifferentiable).toBe(true);
        fail = false;
        expect(f(value([1, 1])).toArray()).toEqual(1);
        expect([w.toArray(), gradOf(w)?.toArray(), w.version]).toEqual([[0, 1], [1, 1], 1]);
      });

      test("refuses values that come out of a function inside", () => {
        const w = parameter(0);
        const f = compile((xs: Value) =>
          vmap((x: Value) => {
            w.assign(x);
            return x;
          })(xs),
        );
        expect(() => f(value([1, 2]))).toThrow(
          "compile: what is returned, assigned or differentiated must be computed from arguments and parameters, got a value of shape [] that belongs to a function inside. Return it from the function that vmap, whileLoop or capture runs.",
        );
      });
    });

    describe("parameters of compiled functions", () => {
      test("are read anew each call", () => {
        const w = parameter(2);
        const f = compile((x: Value) => w.mul(x));
        expect(f(3).item()).toBe(6);
        w.assign(5);
        expect(f(3).item()).toBe(15);
      });

      test("keep what the function assigns, wherever it is read", () => {
        const w = parameter([1, 2]);
        const f = compile(() => {
          w.assign(w.add(1));
        });
        f();
        f();
        expect(w.toArray()).toEqual([3, 4]);
        expect(w.version).toBe(2);
        expect(w.mul(10).toArray()).toEqual([30, 40]);
        w.assign([0, 0]);
        f();
        expect(w.toArray()).toEqual([1, 1]);
        expect(JSON.stringify(w)).toBe("[1,1]");
      });

      test("are shared by several compiled functions and signatures", () => {
        const w = parameter([1, 2]);
        const step = compile((x: Value) => {
          w.assign(w.add(x.sum()));
          return w.sum();
        });
        const read = compile(() => w.mul(1));
        const other = compile(() => {
          w.assign(w.mul(2));
        });
        step(value([1]));
        expect(read().toArray()).toEqual([2, 3]);
        other();
        expect(read().toArray()).toEqual([4, 6]);
        expect(step(value([1, 1])).item()).toBe(14);
        step(value([1]));
        expect(read().toArray()).toEqual([7, 9]);
        w.assign([0, 0]);
        expect(read().toArray()).toEqual([0, 0]);
        step(value([1]));
        other();
        expect(w.toArray()).toEqual([2, 2]);
      });

      test("keep their data when programs are disposed of", () => {
        const w = parameter([1]);
        const f = compile((x: Value) => {
          w.grad = null;
          w.mul(x).sum().backward();
          w.assign(w.add(1));
        });
        f(value([7]));
        f.dispose();
        expect([w.toArray(), gradOf(w)?.toArray()]).toEqual([[2], [7]]);
      });

      test("count versions, so that backward refuses replaced data", () => {
        const w = parameter([1, 2]);
        const f = compile(() => {
          w.assign(w.add(1));
        });
        const y = w.square().sum();
        f();
        expect(() => y.backward()).toThrow("backward: the data that square used must still be there");
        const g = compile(() => {
          const z = w.square().sum();
          w.assign([0, 0]);
          z.backward();
        });
        expect(() => g()).toThrow("backward: the data that square used must still be there");
      });

      test("hold what is assigned to them: numbers, arguments, other parameters, scalars", () => {
        const [a, b, c] = [parameter([1, 2]), parameter([0, 0]), parameter(0)];
        const f = compile((x: Value) => {
          b.assign(a);
          a.assign(x);
          c.assign(c.add(1));
          const before = c.mul(10);
          c.assign(7);
          return [before, c.mul(2)] as const;
        });
        const [before, after] = f(value([5, 6]));
        expect([before.item(), after.item(), c.item()]).toEqual([10, 14, 7]);
        expect([a.toArray(), b.toArray()]).toEqual([
          [5, 6],
          [1, 2],
        ]);
        expect(f(value([8, 9]))[0].item()).toBe(80);
        expect([a.toArray(), b.toArray()]).toEqual([
          [8, 9],
          [5, 6],
        ]);
      });

      test("may be assigned and never read", () => {
        const w = parameter([1, 2], { dtype: "float32" });
        const f = compile((x: Value) => {
          w.assign(x);
        });
        f(value([0.1, 0.2]));
        expect(w.toArray()).toEqual([Math.fround(0.1), Math.fround(0.2)]);
        expect(w.dtype).toBe("float32");
        expect(() => compile((x: Value) => w.assign(x))(value([1, 2, 3]))).toThrow(
          "assign: new data must have the parameter's shape [2], got [3].",
        );
      });

      test("may be arguments: then they are the parameters themselves", () => {
        const [v, w] = [parameter(1), parameter(10)];
        const bump = compile((p: Value, x: Value) => {
          p.assign(p.add(x));
          p.grad = null;
          p.square().backward();
          return p;
        });
        expect(bump(v, value(1))).toBe(v);
        bump(w, value(1));
        bump(v, value(1));
        expect([v.item(), w.item(), gradOf(v)?.item(), gradOf(w)?.item()]).toEqual([3, 11, 6, 22]);
        const square = compile((a: Value, b: Value) => a.mul(b));
        square(v, v).backward();
        expect(gradOf(v)?.item()).toBe(12);
      });

      test("that the function makes are made anew each call", () => {
        const f = compile((x: Value) => {
          const w = parameter([1, 2]);
          w.mul(x).square().sum().backward();
          const first = gradOf(w) as Value;
          w.assign(w.sub(first));
          return [first, w, w.mul(1)] as const;
        });
        for (const scale of [1, 2]) {
          const [g, w, product] = f(scale);
          expect(g.toArray()).toEqual([2 * scale ** 2, 4 * scale ** 2]);
          expect(w.toArray()).toEqual([1 - 2 * scale ** 2, 2 - 4 * scale ** 2]);
          expect(product.toArray()).toEqual(w.toArray());
        }
      });

      test("buffers count, without gradients", () => {
        const count = buffer(0, { dtype: "int32" });
        const f = compile((x: Value) => {
          count.assign(count.add(1));
          return x.mul(count);
        });
        f(2);
        expect(f(2).item()).toBe(4);
        expect([count.item(), count.dtype, count.isDifferentiable, count.isParameter]).toEqual([
          2,
          "int32",
          false,
          false,
        ]);
      });
    });

    describe("gradients of compiled functions", () => {
      test("add up where they are not cleared, and are what eager code leaves", () => {
        const target = counting();
        const run = (compiled: boolean) => {
          const w = parameter([1, 2]);
          const f = (x: Value) => {
            w.mul(x).square().sum().backward();
          };
          const step = compiled ? compile(f, { target }) : f;
          const seen: unknown[] = [];
          for (const k of [1, 2, 3]) {
            step(value([k, 1]));
            seen.push(gradOf(w)?.toArray());
          }
          w.grad = null;
          step(value([1, 1]));
          step(value([1, 1]));
          seen.push(gradOf(w)?.toArray());
          w.grad = value([100, 100]);
          step(value([1, 1]));
          seen.push(gradOf(w)?.toArray());
          return seen;
        };
        expect(run(true)).toEqual(run(false));
        // One program where there is no gradient before, one where there is.
        expect(target.prepared).toBe(2);
      });

      test("are the same value until they are replaced, and stay what they were", () => {
        const w = parameter([1, 2]);
        const f = compile((x: Value) => {
          w.grad = null;
          w.mul(x).sum().backward();
        });
        f(value([1, 2]));
        const first = gradOf(w);
        expect(gradOf(w)).toBe(first);
        f(value([3, 4]));
        expect([first?.toArray(), gradOf(w)?.toArray()]).toEqual([
          [1, 2],
          [3, 4],
        ]);
        f(value([5, 6]));
        w.grad = null;
        expect(w.grad).toBe(null);
      });

      test("may be cleared, set to constants, read and replaced", () => {
        const [v, w] = [parameter([1, 2]), parameter([3, 4])];
        v.grad = value([9, 9]);
        const f = compile((x: Value) => {
          const had = v.grad as unknown as Value;
          v.grad = null;
          w.grad = value([7, 7]);
          return had.add(x);
        });
        expect(f(1).toArray()).toEqual([10, 10]);
        expect([v.grad, gradOf(w)?.toArray()]).toEqual([null, [7, 7]]);
        v.grad = value([1, 1]);
        expect(f(1).toArray()).toEqual([2, 2]);
      });

      test("of a sweep that is recorded can be differentiated again", () => {
        const run = (compiled: boolean) => {
          const w = parameter([1, 2]);
          const f = (x: Value) => {
            w.grad = null;
            w.mul(x).exp().sum().backward(undefined, { createGraph: true });
            const penalty = (w.grad as unknown as Value).square().sum();
            w.grad = null;
            penalty.backward();
            return penalty;
          };
          const y = (compiled ? compile(f) : f)(value([0.5, -0.5]));
          return [y, gradOf(w)];
        };
        expectAlike(run(true), run(false), "penalty");
      });

      test("need recording: inside noGrad the function says what it says uncompiled", () => {
        const w = parameter(2);
        const f = compile((x: Value) => {
          w.grad = null;
          w.mul(x).backward();
        });
        f(1);
        expect(() => noGrad(() => f(1))).toThrow("backward: an output computed from a parameter");
      });

      test("do not flow to arguments by backward: it is refused", () => {
        const [v, w] = [parameter(2), parameter(3)];
        const f = compile((x: Value) => {
          w.mul(x).backward();
        });
        expect(() => f(v.mul(1))).toThrow(
          "compile: arguments of a function that calls backward() must be constants, got a differentiable value, to which no gradient would flow. Pass stopGradient(x), or compute x inside.",
        );
        f(stopGradient(v.mul(1)));
        expect(gradOf(w)?.item()).toBe(2);
      });
    });

    describe("choices in compiled functions", () => {
      test("cond selects what its branches assign", () => {
        const run = (compiled: boolean) => {
          const [w, count] = [parameter([1, 2]), buffer(0)];
          const f = (x: Value) => {
            w.grad = null;
            const loss = w.mul(x).sum();
            loss.backward();
            cond(
              x.sum().gt(0),
              () => {
                w.assign(w.sub(w.grad as unknown as Value));
                count.assign(count.add(1));
              },
              () => {
                count.assign(count.sub(10));
              },
            );
            return loss;
          };
          const step = compiled ? compile(f) : f;
          return [
            [1, 2],
            [-1, 0],
            [Number.NaN, 1],
            [3, 3],
          ].map((x) => [step(value(x)).item(), w.toArray(), count.item()]);
        };
        expect(run(true)).toEqual(run(false));
      });

      test("cond refuses a gradient in one branch only", () => {
        const w = parameter(1, { label: "w" });
        const f = compile((x: Value) =>
          cond(
            x.gt(0),
            () => w.mul(x).backward(),
            () => undefined,
          ),
        );
        expect(() => f(1)).toThrow(
          'cond: both branches must leave a parameter with a gradient, or both without, got "w" [], which has one in one branch only. Call backward() and zeroGrad() before cond().',
        );
      });

      test("whileLoop runs as long as data says, with parameters inside", () => {
        const w = parameter(2);
        const f = compile((x: Value) =>
          whileLoop(
            (y) => y.lt(100),
            (y) => y.mul(w),
            x,
          ),
        );
        expect(f(3).item()).toBe(192);
        w.assign(10);
        expect(f(3).item()).toBe(300);
        const byParameter = compile(() =>
          cond(
            w,
            () => value(1),
            () => value(2),
          ),
        );
        expect(byParameter().item()).toBe(1);
        w.assign(0);
        expect(byParameter().item()).toBe(2);
      });
    });

    describe("transforms and compiled functions", () => {
      const w = parameter([0.3, -0.2]);
      const f = (x: Value) => sin(x.mul(w)).mul(exp(x)).sum();
      const x = value([0.5, 1.5]);

      test("inside: grad, valueAndGrad, jvp, vmap, hessian, jacobian, checkpoint, capture", () => {
        const functions: ((x: Value) => unknown)[] = [
          (x) => grad(f)(x),
          (x) => valueAndGrad(f)(x),
          (x) => jvp(f, [x], [value([1, 2])]),
          (x) => vmap((a: Value) => a.mul(w).sum())(x),
          (x) => vmap(grad((a: Value) => a.mul(w).sin().sum()))(x),
          (x) => hessian(f)(x),
          (x) => jacobian((x) => x.mul(w).exp())(x),
          (x) => grad((x: Value) => checkpoint((x) => f(x))(x))(x),
          (x) => capture((x) => x.mul(w), x).evaluate(x.mul(2)),
          (x) =>
            grad((x: Value) =>
              grad((x: Value) => f(x))(x)
                .square()
                .sum(),
            )(x),
        ];
        for (const g of functions) expectAlike(compile(g)(x), g(x), String(g));
      });

      test("inside: a gradient penalty by grad and backward", () => {
        const run = (compiled: boolean) => {
          const w = parameter([0.3, -0.2]);
          const f = (x: Value) => {
            w.grad = null;
            const loss = grad((x: Value) => x.mul(w).sin().sum())(x)
              .square()
              .sum();
            loss.backward();
            return loss;
          };
          const y = (compiled ? compile(f) : f)(x);
          return [y, gradOf(w)];
        };
        expectAlike(run(true), run(false), "penalty");
      });

      test("inside: custom rules, whose functions may read parameters that are assigned", () => {
        const run = (compiled: boolean) => {
          const v = parameter([1, 2]);
          const scaled = customVjp(
            (x) => x.mul(stopGradient(v)),
            (dy) => [dy.mul(3)],
          );
          const f = (x: Value) => {
            v.assign(v.add(1));
            return [scaled(x), grad((x: Value) => scaled(x).sum())(x)] as const;
          };
          const g = compiled ? compile(f) : f;
          g(x);
          return g(x).map((y) => y.toArray());
        };
        expect(run(true)).toEqual(run(false));
      });

      test("around: derivatives of any order, by arguments and parameters", () => {
        const target = counting();
        const compiled = compile(f, { target });
        const transforms: ((f: (x: Value) => Value) => unknown)[] = [
          (f) => f(x),
          (f) => grad(f)(x),
          (f) => valueAndGrad(f)(x),
          (f) => jvp(f, [x], [value([1, 2])]),
          (f) => hessian(f)(x),
          (f) => grad((x: Value) => grad(f)(x).square().sum())(x),
          (f) =>
            vmap(f)(
              value([
                [1, 2],
                [3, 4],
              ]),
            ),
          (f) =>
            vmap(grad(f))(
              value([
                [1, 2],
                [3, 4],
              ]),
            ),
          (f) =>
            grad((x: Value) => vmap(f)(x).sum())(
              value([
                [1, 2],
                [3, 4],
              ]),
            ),
          (f) => capture(f, x).evaluate(x),
          (f) => {
            w.grad = null;
            f(x).backward();
            return w.grad;
          },
          (f) => {
            w.grad = null;
            f(x)
              .mul(f(x.mul(2)))
              .backward(undefined, { createGraph: true });
            const g = w.grad as unknown as Value;
            w.grad = null;
            g.square().sum().backward();
            return w.grad;
          },
        ];
        for (const t of transforms) expectAlike(t(compiled), t(f), String(t));
        const { prepared } = target;
        for (const t of transforms) t(compiled);
        expect(target.prepared).toBe(prepared);
      });

      test("around: results of several dtypes, integers, and without derivatives", () => {
        const v = parameter([1, 2, 3]);
        const g = (x: Value) => ({
          y: x.mul(v),
          z: x.cast("float32").mul(2),
          positive: x.gt(0),
          c: stopGradient(x),
          both: x.sum(),
        });
        const run = (h: typeof g) => {
          const u = parameter([1, -1, 2]);
          v.grad = null;
          const { y, z, positive, c, both } = h(u.mul(1));
          const flags = [y, z, positive, c, both].map((r) => [r.isDifferentiable, r.dtype, r.toArray()]);
          add(sum(y), add(sum(z), mul(both, 3))).backward();
          return [flags, gradOf(u)?.toArray(), gradOf(v)?.toArray()];
        };
        expect(run(compile(g))).toEqual(run(g));
      });

      test("around: no gradient flows where none does uncompiled", () => {
        const [a, b] = [parameter([1, 2]), parameter([3, 4])];
        const g = compile((a: Value, b: Value) => [a.square(), where(b.gt(0), a, 0)] as const);
        const [p, q] = [a.mul(1), b.mul(1)];
        g(p, q)[0].sum().backward();
        expect([gradOf(a)?.toArray(), b.grad]).toEqual([[2, 4], null]);
        expect(g(stopGradient(p), q).map((y) => y.isDifferentiable)).toEqual([false, false]);
      });

      test("around: gradients flow to differentiable values that the function reads from outside", () => {
        const v = parameter([1, 2]);
        const h = v.mul(3);
        const g = compile((x: Value) => x.mul(h).sum());
        expect(g(value([1, 1])).item()).toBe(9);
        g(value([1, 2])).backward();
        expect(gradOf(v)?.toArray()).toEqual([3, 6]);
      });

      test("around: backward refuses parameters that were assigned since", () => {
        const v = parameter([1, 2]);
        const y = compile(() => v.square().sum())();
        v.assign([0, 0]);
        expect(() => y.backward()).toThrow("backward: the data that compiled used must still be there");
      });

      test("around: nothing is recorded inside noGrad", () => {
        const v = parameter([1, 2]);
        const g = compile((x: Value) => x.mul(v));
        expect(noGrad(() => g(x)).isDifferentiable).toBe(false);
        expect(g(x).isDifferentiable).toBe(true);
      });

      test("run the function itself inside captures, other compiled functions and detectAnomaly", () => {
        const target = counting();
        const inner = compile((x: Value) => x.mul(w).log(), { target });
        const outer = compile((x: Value) => inner(x.mul(2)), { target });
        expect(outer(value([1, -1])).toArray()).toEqual([Math.log(0.6), Math.log(0.4)]);
        expect(target.prepared).toBe(1);
        expect(vmap((a: Value) => compile(() => a.mul(2), { target })())(x).toArray()).toEqual([1, 3]);
        expect(() => detectAnomaly(() => inner(value([0, 1])))).toThrow(
          "log: a finite result of finite operands",
        );
        expect(target.prepared).toBe(1);
      });

      test("indices may be arguments", () => {
        const table = parameter([
          [1, 2],
          [3, 4],
          [5, 6],
        ]);
        const g = (i: Value) => {
          table.grad = null;
          mean(take(table, i, 0)).backward();
          return [take(table, i, 0), gather(table, 1, i.reshape([2, 1]))] as const;
        };
        const i = value(new Int32Array([1, 0]));
        const eager = g(i).map((y) => y.toArray());
        const expected = gradOf(table)?.toArray();
        expect(compile(g)(i).map((y) => y.toArray())).toEqual(eager);
        expect(gradOf(table)?.toArray()).toEqual(expected);
        expect(matmul(table, table.transpose()).shape).toEqual([3, 3]);
      });
    });
  });
}
