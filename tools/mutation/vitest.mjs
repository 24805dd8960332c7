// What core's tests take from vitest, for tests that are bundled and run one by one in a worker.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign((x, message) => chai.expect(x, message), chai.expect);
Object.assign(expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
globalThis[GLOBAL_EXPECT] = expect;
setState({ assertionCalls: 0 }, expect);

/** The tests and the `afterEach` hooks of the file that was imported last. */
export const collected = { tests: [], hooks: [] };

const isFunction = (x) => typeof x === "function";
const each =
  (register) =>
  (cases) =>
  (name, ...rest) => {
    const f = rest.find(isFunction);
    for (const entry of cases) register(name, () => f(...(Array.isArray(entry) ? entry : [entry])));
  };
export const test = Object.assign((_name, ...rest) => void collected.tests.push(rest.find(isFunction)), {
  each: each((name, f) => test(name, f)),
});
export const describe = Object.assign((_name, f) => f(), { each: each((_name, f) => f()) });
export const afterEach = (f) => void collected.hooks.push(f);
export const vi = {
  resetModules() {
    throw new Error("a bundle's modules cannot be loaded again");
  },
};
