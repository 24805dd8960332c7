/** The public surface of @adjoint/data. */

export { type CsvOptions, parseCsv } from "./csv.ts";
export {
  type Batch,
  type BatchOptions,
  Dataset,
  type DatasetParts,
  type ExampleData,
  type ExampleSource,
  type Examples,
  type TargetUnits,
} from "./dataset.ts";
export type {
  ColumnEncoding,
  Encoding,
  FeatureOptions,
  Missing,
  TargetEncoding,
  Task,
} from "./encoding.ts";
export { type IdxArray, type IdxData, type IdxDType, parseIdx } from "./idx.ts";
export type { Indices } from "./indices.ts";
export { type CategoricalColumn, type Column, type NumericColumn, Table } from "./table.ts";
