/** traceCall: runs a function and keeps what it reads of, and does to, the parameters and buffers outside. */

import { ArgumentError } from "../errors.ts";
import { operation } from "../op.ts";
import { where } from "../ops/elementwise.ts";
import { cast, stopGradient } from "../ops/movement.ts";
import { type Cell, current, type Mark, setTracer, state, type Tracer } from "../state.ts";
import type { TensorType } from "../tensor-type.ts";
import { extraOf, shortName, Value } from "../value.ts";

/** A parameter or buffer that a traced function read or assigned to. */
export interface TracedState {
  readonly value: Value;
  /** What stands for its data when the function begins. */
  readonly before: Value;
  /** Its data when the function ends; null where nothing was assigned. */
  readonly after: Value | null;
}

/** A parameter whose gradient a traced function read or replaced. */
export interface TracedGradient {
  readonly parameter: Value;
  /** Whether the gradient was read before it was replaced. */
  readonly read: boolean;
  /** What stands for the gradient when the function begins; null where there is none, or it was not read. */
  readonly before: Value | null;
  /** Whether it was replaced. */
  readonly replaced: boolean;
  /** The gradient when the function ends. */
  readonly after: Value | null;
}

/** What a traced function did. */
export interface Trace<R> {
  /** What stands for the arguments. */
  readonly inputs: readonly Value[];
  readonly result: R;
  readonly states: readonly TracedState[];
  readonly gradients: readonly TracedGradient[];
  /** The time from which on values belong to the function. */
  readonly floor: number;
}

/**
 * Runs `f` on values of the given types that have no data. What it reads of parameters and buffers has none either;
 * what it assigns to them, and to gradients, is kept, and nothing outside changes.
 *
 * Parameters and buffers that f makes itself are its own: they have data, and nothing is kept of them.
 */
export function traceCall<R>(types: readonly TensorType[], f: (inputs: readonly Value[]) => R): Trace<R> {
  const floor = ++state.clock;
  const inputs = types.map((type) => new Value(type, null, null, null, null, false));
  const work = new Work(floor);
  const { recording, constant } = state;
  const before = setTracer(work);
  state.recording = true;
  state.constant = false;
  state.captures++;
  try {
    const result = f(inputs);
    return { inputs, result, floor, states: work.states(), gradients: work.gradients() };
  } finally {
    state.captures--;
    state.recording = recording;
    state.constant = constant;
    setTracer(before);
  }
}

/** What was assigned, where it is read: no derivative flows through an assignment. */
const assigned = /* @__PURE__ */ operation<null>({
  name: "assigned",
  infer: ([x]) => x as TensorType,
  evaluate: ([x]) => (x as Value).storage as never,
  jvp: () => null,
  linear: true,
});

/** What is known of one parameter or buffer. */
interface Entry {
  readonly value: Value;
  /** Whether the function made it. */
  readonly own: boolean;
  /** What stood for its data at first. */
  readonly before: Value;
  current: Value;
  gradient: Gradient | null;
  /** Its data and its gradient. */
  readonly cells: readonly [Cell, Cell];
}

/** What is known of its gradient. */
interface Gradient {
  readonly read: boolean;
  readonly before: Value | null;
  replaced: boolean;
  current: Value | null;
}

/** What a branch of a choice leaves behind. */
interface Left {
  readonly current: Value;
  readonly gradient: { readonly replaced: boolean; readonly current: Value | null } | null;
}

class Work implements Tracer {
  readonly #floor: number;
  /** By the parameter or buffer, and by all that stood for its data. */
  readonly #entries = new Map<Value, Entry>();
  /** How often anything was assigned. */
  #writes = 0;
  /** How many choices are being traced. */
  #choices = 0;

  constructor(floor: number) {
    this.#floor = floor;
  }

  read(x: Value): Value {
    return this.#entry(x).current;
  }

  assign(x: Value, next: Value): void {
    this.#writes++;
    const entry = this.#entry(x);
    // Read now: what is given may be a parameter, and assigned to later.
    const source = cast(current(next), entry.value.dtype);
    const leaf = this.#leaf(entry.value, source.storage, source.storage === null ? source : null);
    // Sweeps refuse what read the data that is replaced, as they do where nothing is traced.
    const replaced = extraOf(entry.current);
    replaced.version++;
    replaced.assignedAt = ++state.clock;
    this.#entries.set(leaf, entry);
    entry.current = leaf;
  }

  readGrad(x: Value): Value | null {
    return this.#gradient(x, true).current;
  }

  writeGrad(x: Value, grad: Value | null): void {
    this.#writes++;
    // Where the other branch leaves it alone it stays what it was.
    const gradient = this.#gradient(x, this.#choices > 0);
    gradient.replaced = true;
    gradient.current = grad === null ? null : current(grad);
  }

  choose<R>(condition: Value, whenTrue: () => R, whenFalse: () => R): { results: [R, R]; changed: boolean } {
    const start = this.#left();
    this.#choices++;
    try {
      const a = whenTrue();
      const leftA = this.#left();
      this.#restore(start);
      const b = whenFalse();
      const leftB = this.#left();
      let changed = false;
      for (const entry of new Set(this.#entries.values())) {
        const [one, other] = [leftA.get(entry) ?? untouched(entry), leftB.get(entry) as Left];
        const before = start.get(entry) ?? untouched(entry);
        const left = [one, other];
        if (left.some((now) => isReplaced(before, now) || isRegraded(before, now))) changed = true;
        this.#join(entry, condition, one, other);
      }
      return { results: [a, b], changed };
    } finally {
      this.#choices--;
    }
  }

  mark(): Mark {
    const start = this.#left();
    const writes = this.#writes;
    /** What was there then, before and now. */
    const all = () =>
      Array.from(this.#left()).flatMap(([entry, now]) => {
        const before = start.get(entry);
        return before === undefined && entry.own ? [] : [{ entry, before: before ?? untouched(entry), now }];
      });
    return {
      // Loops ask before each step.
      changed: () =>
        this.#writes !== writes &&
        all().some(({ before, now }) => isReplaced(before, now) || isRegraded(before, now)),
      changes() {
        const cells: Cell[] = [];
        for (const { entry, before, now } of all()) {
          const [data, gradient] = entry.cells;
          if (isReplaced(before, now)) cells.push(data);
          if (!isRegraded(before, now)) continue;
          const { gradient: old } = before.gradient === null ? untouched(entry) : before;
          const [was, is] = [old?.current ?? null, now.gradient?.current ?? null];
          if ((was === null) !== (is === null)) return null;
          cells.push(gradient);
        }
        return cells;
      },
      rewind: () => this.#restore(start),
    };
  }

  states(): TracedState[] {
    return this.#outside().map((entry) => ({
      value: entry.value,
      before: entry.before,
      after: entry.current === entry.before ? null : entry.current,
    }));
  }

  gradients(): TracedGradient[] {
    return this.#outside().flatMap(({ value, gradient }) =>
      gradient === null ? [] : [{ ...gradient, parameter: value, after: gradient.current }],
    );
  }

  #outside(): Entry[] {
    return [...new Set(this.#entries.values())].filter(({ own }) => !own);
  }

  #entry(x: Value): Entry {
    let entry = this.#entries.get(x);
    if (entry === undefined) {
      const own = x.epoch >= this.#floor;
      const before = this.#leaf(x, own ? x.storage : null, null);
      const data: Cell = { get: () => this.read(x), set: (next) => this.assign(x, next as Value) };
      const gradient: Cell = { get: () => this.readGrad(x), set: (next) => this.writeGrad(x, next) };
      entry = { value: x, own, before, current: before, gradient: null, cells: [data, gradient] };
      this.#entries.set(x, entry);
      this.#entries.set(before, entry);
    }
    return entry;
  }

  #gradient(x: Value, reads: boolean): Gradient {
    const entry = this.#entry(x);
    if (entry.gradient === null) {
      const read = reads && !entry.own;
      const held = read ? (entry.value.extra?.grad ?? null) : null;
      const before = held === null ? null : new Value(held.type, null, null, null, null, false);
      entry.gradient = { read, before, replaced: false, current: before };
    }
    return entry.gradient;
  }

  /** What stands for a parameter's or buffer's data: a leaf of sweeps. What it is at first is as old as what is outside. */
  #leaf(x: Value, storage: Value["storage"], source: Value | null): Value {
    const { isParameter } = x;
    // Sweeps end here.
    const input = source?.tracked ? stopGradient(source) : source;
    const leaf = new Value(x.type, storage, input === null ? null : assigned, input, null, isParameter);
    if (source === null) leaf.epoch = this.#floor;
    const extra = extraOf(leaf);
    extra.parameter = isParameter;
    extra.label = x.label;
    extra.body = source;
    return leaf;
  }

  #left(): Map<Entry, Left> {
    const entries = new Set(this.#entries.values());
    return new Map(
      Array.from(entries, (entry) => [
        entry,
        { current: entry.current, gradient: entry.gradient === null ? null : { ...entry.gradient } },
      ]),
    );
  }

  #restore(start: ReadonlyMap<Entry, Left>): void {
    for (const entry of new Set(this.#entries.values())) {
      const left = start.get(entry) ?? untouched(entry);
      entry.current = left.current;
      if (entry.gradient !== null) Object.assign(entry.gradient, left.gradient ?? untouched(entry).gradient);
    }
  }

  /** Makes one of what two branches leave of a parameter or buffer. */
  #join(entry: Entry, condition: Value, a: Left, b: Left): void {
    if (a.current !== b.current) this.assign(entry.value, where(condition, a.current, b.current));
    const { gradient } = entry;
    if (gradient === null) return;
    const { gradient: one } = a.gradient === null ? untouched(entry) : a;
    const { gradient: other } = b.gradient === null ? untouched(entry) : b;
    const [ga, gb] = [one?.current ?? null, other?.current ?? null];
    gradient.replaced = one?.replaced === true || other?.replaced === true;
    if (ga === gb) gradient.current = ga;
    else if (ga !== null && gb !== null) gradient.current = where(condition, ga, gb);
    else {
      throw new ArgumentError({
        where: "cond",
        expected: "both branches must leave a parameter with a gradient, or both without",
        received: `${shortName(entry.value)}, which has one in one branch only`,
        advice: "Call backward() and zeroGrad() before cond().",
      });
    }
  }
}

/** Whether data was replaced. */
function isReplaced(before: Left, after: Left): boolean {
  return before.current !== after.current;
}

/** Whether a gradient was. */
function isRegraded(before: Left, after: Left): boolean {
  const [old, now] = [before.gradient, after.gradient];
  return (
    now !== null &&
    (now.replaced !== (old?.replaced ?? false) || (old !== null && now.current !== old.current))
  );
}

/** What is left of a parameter or buffer that a branch did not touch. */
function untouched({ before, gradient }: Entry): Left {
  return {
    current: before,
    gradient: gradient === null ? null : { replaced: false, current: gradient.before },
  };
}
