/** Functions as single operations of a captured graph: run when the graph is, and differentiated by running again. */

import { apply, type Operation, together, zerosLike } from "../op.ts";
import { concat } from "../ops/joining.ts";
import { cast, reshape } from "../ops/movement.ts";
import { slice } from "../ops/slicing.ts";
import { withRecording } from "../sweep/backward.ts";
import { type TensorType, tensorType, type Value } from "../value.ts";
import { jvp } from "./jvp.ts";
import { vjp } from "./vjp.ts";

/** A function of a flat list of values. */
export type ListFunction = (xs: readonly Value[]) => readonly Value[];

/** Several values as one float64 vector. */
function pack(xs: readonly Value[]): Value {
  return concat([[] as number[], ...xs.map((x) => reshape(cast(x, "float64"), [x.size]))]);
}

/** The values that a vector packs, by their types. */
function unpack(packed: Value, types: readonly TensorType[]): Value[] {
  let at = 0;
  return types.map(({ shape, dtype, size }) => {
    const part = slice(packed, [at, at + size]);
    at += size;
    return cast(reshape(part, shape), dtype);
  });
}

/**
 * `f` as one operation, whose results have the given types whatever the data is.
 *
 * Where the data of the inputs is known f runs at once. Derivatives run f again, recorded, and are opaque operations
 * themselves, so they can be captured and differentiated as well. f must compute with its arguments only.
 */
export function opaque(name: string, f: ListFunction, outputs: readonly TensorType[]): ListFunction {
  const size = outputs.reduce((sum, type) => sum + type.size, 0);
  const typesOf = (xs: readonly Value[]) => xs.map((x) => x.type);
  const record: Operation<null> = {
    name,
    infer: () => tensorType([size], "float64"),
    evaluate: (inputs) => withRecording(false, () => pack(f(inputs))).data,
    spread: null,
    lowering: null,
    batch: null,
    linear: false,
    differentiable: true,
    elementwise: null,
    vjp: together((dy, { inputs }) => {
      const types = typesOf(inputs);
      const floats = inputs.map((x) => x.dtype === "float64" || x.dtype === "float32");
      const back: ListFunction = ([d, ...xs]) => {
        const chosen = xs.filter((_, i) => floats[i]);
        const [, pull] = vjp(
          (...some: Value[]) => {
            const rest = [...some];
            return pack(f(xs.map((x, i) => (floats[i] ? (rest.shift() as Value) : x))));
          },
          ...chosen,
        );
        const cotangents = [...(pull(d as Value) as readonly Value[])];
        return xs.map((x, i) => (floats[i] ? (cotangents.shift() as Value) : zerosLike(x)));
      };
      const cotangents = opaque(`${name}Vjp`, back, types)([dy, ...inputs]);
      return cotangents.map((dx, i) => (floats[i] ? dx : null));
    }),
    jvp: (tangents, { inputs }) => {
      const given = tangents.flatMap((t, i) => (t === null ? [] : [i]));
      const push: ListFunction = (all) => {
        const [ts, xs] = [all.slice(0, given.length), all.slice(given.length)];
        const chosen = given.map((i) => xs[i] as Value);
        const along = (...some: Value[]) => pack(f(xs.map((x, i) => some[given.indexOf(i)] ?? x)));
        return [jvp(along, chosen as never, ts as never)[1] as Value];
      };
      const parts = given.map((i) => tangents[i] as Value);
      return opaque(`${name}Jvp`, push, [tensorType([size], "float64")])([...parts, ...inputs])[0] ?? null;
    },
  };
  return (xs) => unpack(apply(record, xs, null), outputs);
}
