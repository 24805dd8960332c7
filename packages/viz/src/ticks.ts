/** Domains of axes, and the places of their ticks. */

/** A scale of an axis. */
export type Scale = "linear" | "log";

/** The smallest and the largest number of an axis, with room around a single one. */
export function domainOf(xs: Iterable<number>, scale: Scale): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const x of xs) {
    if (!Number.isFinite(x)) continue;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (low > high) return scale === "log" ? [1, 10] : [0, 1];
  if (low < high) return [low, high];
  if (scale === "log") return [low / 2, low * 2];
  const room = low === 0 ? 1 : Math.abs(low) / 10;
  return [low - room, low + room];
}

/** A domain widened by a fraction of its length, on a logarithmic axis of its length there. */
export function widen([low, high]: [number, number], fraction: number, scale: Scale): [number, number] {
  if (scale === "linear") return [low - fraction * (high - low), high + fraction * (high - low)];
  // The quotient of the largest and the smallest double is no double; their logarithms are.
  const factor = Math.exp(fraction * (Math.log(high) - Math.log(low)));
  return [Math.max(Number.MIN_VALUE, low / factor), Math.min(Number.MAX_VALUE, high * factor)];
}

/** About `count` round numbers of a domain, whole ones where asked. */
export function linearTicks([low, high]: [number, number], count: number, whole: boolean): number[] {
  const rough = (high - low) / count;
  const power = Math.floor(Math.log10(rough));
  // The mantissa nearest to the rough step on a logarithmic scale, as d3-array's ticks choose it.
  const over = rough / 10 ** power;
  const mantissa = over >= Math.sqrt(50) ? 10 : over >= Math.sqrt(10) ? 5 : over >= Math.sqrt(2) ? 2 : 1;
  // Steps are written as m · 10^p, or m / 10^−p, so that their multiples are the doubles nearest to the decimals.
  const [up, down] = power >= 0 || whole ? [mantissa * 10 ** power, 1] : [mantissa, 10 ** -power];
  const step = whole ? Math.max(1, Math.round(up)) : up;
  const ticks: number[] = [];
  const first = Math.ceil((low * down) / step - 1e-9);
  const last = Math.floor((high * down) / step + 1e-9);
  // Counted from 0: a multiple beyond 2^53 would not grow by adding 1.
  for (let k = 0; k <= last - first; k++) ticks.push(((first + k) * step) / down + 0);
  return ticks;
}

/** Powers of ten in a domain, with their multiples where it spans few of them. */
export function logTicks(domain: [number, number]): number[] {
  const [low, high] = domain;
  const decades = Math.log10(high) - Math.log10(low);
  if (decades < 0.5) return linearTicks(domain, 5, false);
  const mantissas = decades <= 1 ? [1, 2, 3, 5, 7] : decades <= 3 ? [1, 2, 5] : [1];
  const skip = Math.ceil(decades / 8);
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % skip !== 0) continue;
    for (const mantissa of mantissas) {
      const x = power < 0 ? mantissa / 10 ** -power : mantissa * 10 ** power;
      if (x >= low && x <= high) ticks.push(x);
    }
  }
  return ticks;
}

/** A tick's number: in decimals, or as a power of ten where those are long. */
export function formatTick(x: number): string {
  const size = Math.abs(x);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6)
      ? x.toExponential().replace(/e\+?/, "e")
      : x.toLocaleString("en-US", { maximumSignificantDigits: 6 });
  return text.replaceAll("-", "−");
}
