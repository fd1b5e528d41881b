export { allOf, anyOf, MAX_FIELD_NAME_LENGTH, MAX_TEXT_LENGTH } from "./ast.ts";
export type {
  Aggregate,
  All,
  And,
  ComparisonOperator,
  FieldsStage,
  FieldTerm,
  FieldTest,
  Filter,
  GroupKey,
  LevelTerm,
  LimitStage,
  Not,
  Or,
  Query,
  RegexTerm,
  SortKey,
  SortStage,
  Stage,
  StatsStage,
  Term,
  TextPattern,
  TextTerm,
  TopStage,
} from "./ast.ts";
export type { Cell } from "./cell.ts";
export { compileFilter } from "./evaluate.ts";
export type { RecordFilter, Verdict } from "./evaluate.ts";
export type { PipelineRow } from "./operator.ts";
export { hidesWords } from "./field-text.ts";
export { compileNarrowing } from "./narrowing.ts";
export type { Narrowing } from "./narrowing.ts";
export { MAX_QUERY_DEPTH, MAX_QUERY_LENGTH, parseQuery } from "./parser.ts";
export { canBePartial, createPartial } from "./partial.ts";
export type { PartialOptions, PartialPipeline, PartialState } from "./partial.ts";
export { PIPELINE_LIMITS } from "./pipeline-error.ts";
export type { PipelineError } from "./pipeline-error.ts";
export { createPipeline } from "./pipeline.ts";
export type { Pipeline, PipelineOptions } from "./pipeline.ts";
export { printFilter } from "./printer.ts";
export type { Proposal } from "./proposal.ts";
export type { Proposer } from "./proposer.ts";
export { renderQueryError } from "./query-error.ts";
export type { QueryError } from "./query-error.ts";
export type { PipelineState, RecordInput } from "./record-input.ts";
export type { StreamIdentity } from "./record-field.ts";
export type { Column, RecordRef } from "./row-shape.ts";
export { metadataStats } from "./run-summary.ts";
export type { MetadataStats, RunSummary } from "./run-summary.ts";
export { scanBlock } from "./scan.ts";
export type { ScanOptions } from "./scan.ts";
export { ALL_SEVERITIES } from "./severity-mask.ts";
export type { SeverityMasks } from "./severity-mask.ts";
export { suggestFilters } from "./suggestion.ts";
export type { Suggestion } from "./suggestion.ts";
export type { RequiredText } from "./text-condition.ts";
export type { PlaceTest } from "./text-match.ts";
export { requiredWords, requiredWordSets } from "./word-condition.ts";
export type { WordCondition, WordsOfField } from "./word-condition.ts";
export { LOWER_BYTES, WORD_BYTES } from "./word.ts";
