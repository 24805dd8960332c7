// The directions that imports may take: between packages, and between the parts of core. Read by dependency-cruiser.

/** What each package may import, besides itself (the table in docs/architecture.md). */
const packages = {
  core: [],
  gradcheck: ["core"],
  compiler: ["core"],
  native: ["core", "compiler"],
  nn: ["core", "compiler"],
  data: ["core"],
  viz: ["core"],
  cli: ["core", "gradcheck", "compiler", "native", "nn", "data", "viz"],
};

/** The parts of core, lowest first: a file imports its own layer and the ones before it. */
const layers = [
  ["errors"],
  ["shape", "dtype", "arithmetic", "generation", "dense"],
  ["loops", "tensor-type", "state", "value", "gemm", "spread"],
  ["op", "maps"],
  ["scalars"],
  ["elementwise"],
  ["ops", "random", "print"],
  ["sweep"],
  ["transforms"],
  ["methods", "functions", "operations"],
  ["index"],
];

const core = "^packages/core/src/";
const files = (names) => `${core}(${names.join("|")})(/|\\.ts$)`;

const packageRules = Object.entries(packages).map(([name, allowed]) => {
  const { dependencies = {}, peerDependencies = {} } = require(`../packages/${name}/package.json`);
  const declared = allowed.filter((other) => `@adjoint/${other}` in { ...dependencies, ...peerDependencies });
  return {
    name: `package-${name}`,
    comment: `${name} may import ${allowed.join(", ") || "no other package"}, if its package.json lists it.`,
    severity: "error",
    from: { path: `^packages/${name}/src/` },
    to: { path: "^packages/", pathNot: `^packages/(${[name, ...declared].join("|")})/` },
  };
});

const layerRules = layers.slice(0, -1).map((names, depth) => ({
  name: `core-${names[0]}`,
  comment: `In core, ${names.join(", ")} may not import from a later layer (types excepted).`,
  severity: "error",
  from: { path: files(names) },
  to: { path: files(layers.slice(depth + 1).flat()), dependencyTypesNot: ["type-only"] },
}));

module.exports = {
  forbidden: [
    ...packageRules,
    ...layerRules,
    {
      name: "core-has-no-dependency",
      comment: "core imports nothing but its own files: no library, no platform module.",
      severity: "error",
      from: { path: core },
      to: { pathNot: core },
    },
    {
      name: "declared",
      comment: "A package's sources import only what its own package.json lists under dependencies.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "index-only",
      comment:
        "A package is imported through its entry points, never through its other files, but by benchmarks of those.",
      severity: "error",
      from: { path: "^(?:packages/)?([^/]+)/", pathNot: "^benchmarks/cases/wasm-products\\.ts$" },
      to: {
        path: "^packages/",
        pathNot: [
          "^packages/$1/",
          "^packages/(compiler/test|core/test/ops)/",
          "^packages/[^/]+/src/index\\.ts$",
          "^packages/[^/]+/src/(functions|operations|node|targets)\\.ts$",
        ],
      },
    },
    {
      name: "tests-stay-out",
      comment: "Sources never import tests.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^(packages/[^/]+/test|benchmarks|docs)/" },
    },
    {
      name: "no-cycles",
      comment: "No file imports itself by a detour (types excepted).",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "Every import leads somewhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|\\.examples)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default"],
    },
  },
};
