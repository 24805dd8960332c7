/** Where the command writes: text for people, and one JSON object for programs. */

/** Whether figures are for people, for programs, or only for the files. */
export interface OutputOptions {
  readonly quiet: boolean;
  readonly json: boolean;
}

/** Writes text for people to standard output, or to standard error where standard output is for JSON. */
export class Output {
  readonly quiet: boolean;
  readonly json: boolean;
  /** Where text for people goes. */
  readonly stream: NodeJS.WriteStream;

  constructor({ quiet, json }: OutputOptions) {
    this.quiet = quiet;
    this.json = json;
    this.stream = json ? process.stderr : process.stdout;
  }

  /** A line for people. */
  say(line = ""): void {
    if (!this.quiet) this.stream.write(`${line}\n`);
  }

  /** The last line of standard output, for programs. */
  report(result: object): void {
    if (this.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

/** A whole number with spaces between thousands. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** A fraction in per cent. */
export function percent(x: number, digits = 2): string {
  return `${(100 * x).toFixed(digits)}%`;
}

/** How many of something, for example `1 epoch`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}
