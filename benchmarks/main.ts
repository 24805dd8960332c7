/** Runs the benchmarks. */
console.log("There are no benchmarks yet.");
