/** Lets the event loop turn while a long computation runs. */

/** How long the event loop may be kept waiting, in milliseconds, where one batch is not longer. */
const LONGEST = 30;

/** A turn of the event loop, by the quickest way there is: browsers hold back nested timers by 4 ms. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof globalThis.setImmediate === "function") {
      globalThis.setImmediate(resolve);
    } else {
      const { port1, port2 } = new MessageChannel();
      // Node's types know only its own way to listen.
      (port1 as unknown as { onmessage: () => void }).onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    }
  });
}

/** Gives a function to call often: it waits for a turn of the event loop when the last one was some time ago. */
export function pauser(): () => Promise<void> | null {
  let last = performance.now();
  return () => {
    if (performance.now() - last < LONGEST) return null;
    return turn().then(() => {
      last = performance.now();
    });
  };
}
