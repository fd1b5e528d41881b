import { durationField, scalarField, sizeField } from "@sluice/config";
import { LIMITS } from "@sluice/protocol";
import {
  byteCount,
  durationMs,
  err,
  ok,
  parseLevel,
  parseLevelRange,
  type Result,
} from "@sluice/quantity";
import * as z from "zod";

import {
  MULTILINE_PRESETS,
  PARSE_FORMATS,
  type ProcessingSettings,
  REDACT_PRESETS,
} from "./processing-settings.ts";
import { OWN_PREFIX } from "./record-fields.ts";
import { UserPattern } from "./user-pattern.ts";

/** How much and how long lines are gathered where the source does not say. */
export const MULTILINE_DEFAULTS = {
  /** A Java trace with its causes has 100 to 300 lines. */
  maxLines: 500,
  maxBytes: LIMITS.recordBytes,
  /** Longer than any writer takes between two lines of a trace; as late is a lone line. */
  maxWaitMs: 1_000,
} as const;

const PATTERN = z.string().superRefine((source, context) => {
  const parsed = UserPattern.parse(source);
  if (!parsed.ok) {
    context.addIssue({ code: "custom", message: parsed.error });
  }
});
const PATTERNS = z.union([PATTERN, z.array(PATTERN).min(1)]);
const NAME = z.string().min(1);
const NAMES = z.array(NAME);

const BOUNDS = {
  max_lines: z.int().min(1).max(10_000).default(MULTILINE_DEFAULTS.maxLines),
  max_bytes: sizeField
    .refine((bytes) => bytes >= 1 && bytes <= LIMITS.recordBytes, {
      message: "expected 1 B to 256KiB, the most that a record may have",
    })
    .default(byteCount(MULTILINE_DEFAULTS.maxBytes)),
  max_wait: durationField
    .refine((waitMs) => waitMs >= 1 && waitMs <= 3_600_000, { message: "expected 1ms to 1h" })
    .default(durationMs(MULTILINE_DEFAULTS.maxWaitMs)),
};

const MULTILINE = z.union([
  z.enum(MULTILINE_PRESETS),
  z.strictObject({ preset: z.enum(MULTILINE_PRESETS), ...BOUNDS }),
  z
    .strictObject({ start: PATTERN.optional(), continue: PATTERN.optional(), ...BOUNDS })
    .refine(({ start, continue: more }) => start !== undefined || more !== undefined, {
      message: "give start, continue or both, or a preset such as java",
    }),
]);

const FIELDS = { fields: NAMES.optional(), time: NAME.optional() };
const NAMED_GROUPS = PATTERN.refine(
  (source) => {
    const parsed = UserPattern.parse(source);
    return !parsed.ok || parsed.value.groupNames.length > 0;
  },
  { message: "the pattern names no field: write (?<level>\\w+) for what is to be the field level" },
);
const PARSE = z.union([
  z.enum(PARSE_FORMATS),
  z.strictObject({ format: z.enum(PARSE_FORMATS), ...FIELDS }),
  z.strictObject({ regex: NAMED_GROUPS, ...FIELDS }),
]);

const LEVEL = z.string().superRefine((text, context) => {
  const level = parseLevel(text);
  if (!level.ok) {
    context.addIssue({ code: "custom", message: level.error });
  }
});
const SEVERITY = z.strictObject({
  field: NAME.optional(),
  map: z.record(z.string(), LEVEL).default({}),
  default: LEVEL.optional(),
});

const SHARE = scalarField(parseShare, formatShare);
const UNLESS = z.string().superRefine((text, context) => {
  const range = parseLevelRange(text);
  if (!range.ok) {
    context.addIssue({ code: "custom", message: range.error });
  }
});
const SAMPLE = z.union([SHARE, z.strictObject({ keep: SHARE, unless: UNLESS.optional() })]);

const RATE_LIMIT = z.strictObject({
  lines_per_second: z.number().positive(),
  burst: z.int().min(1).optional(),
});

const REDACT = z.array(
  z.union([
    z.enum(REDACT_PRESETS),
    z.strictObject({
      pattern: PATTERN.refine((source) => !matchesNothing(source), {
        message: "the pattern also matches no text at all, which is everywhere",
      }),
      replace: z.string().default("***"),
    }),
  ]),
);

const ATTRIBUTES = z
  .record(z.string().min(1), z.string())
  .refine((attributes) => !Object.keys(attributes).some((name) => name.startsWith(OWN_PREFIX)), {
    message: `names that begin with ${OWN_PREFIX} are those of marks that the agent sets itself`,
  })
  .refine((attributes) => Object.keys(attributes).length <= LIMITS.recordAttributes / 2, {
    message: `expected at most ${LIMITS.recordAttributes / 2} attributes`,
  })
  .refine((attributes) => JSON.stringify(attributes).length <= LIMITS.recordAttributesBytes / 8, {
    message: "expected at most 8 KiB of attributes",
  });

/** What a source of bytes may say about which lines are one record; part of the source's own mapping. */
export const FRAMING_FIELDS = { multiline: MULTILINE.optional() } as const;

/** What any source may say about how its records are processed; part of the source's own mapping. */
export const PROCESSING_FIELDS = {
  parse: PARSE.optional(),
  severity: SEVERITY.optional(),
  include_lines: PATTERNS.optional(),
  exclude_lines: PATTERNS.optional(),
  sample: SAMPLE.optional(),
  rate_limit: RATE_LIMIT.optional(),
  redact: REDACT.optional(),
  /** Attributes that each record gets. */
  attributes: ATTRIBUTES.optional(),
} as const;

type FramingConfig = z.infer<z.ZodObject<typeof FRAMING_FIELDS>>;
type ProcessingConfig = z.infer<z.ZodObject<typeof PROCESSING_FIELDS>>;

/** Rules that need one another. For the mapping of a source: `z.strictObject({...}).superRefine(checkRules)`. */
export function checkRules({ parse, severity }: ProcessingConfig, context: z.RefinementCtx): void {
  const key = severity?.field !== undefined ? "field" : "map";
  const isOfFields = severity?.field !== undefined || Object.keys(severity?.map ?? {}).length > 0;
  if (isOfFields && parse === undefined) {
    context.addIssue({
      code: "custom",
      path: ["severity", key],
      message: "there are no fields without parse: add parse, such as parse: json",
    });
  }
}

/** Undefined where a source's records are shipped as they are. */
export function toProcessing(
  config: ProcessingConfig & FramingConfig,
): ProcessingSettings | undefined {
  const settings: ProcessingSettings = {
    multiline: config.multiline && toMultiline(config.multiline),
    parse: config.parse && toParse(config.parse),
    severity: config.severity && toSeverity(config.severity),
    includeLines: toPatterns(config.include_lines),
    excludeLines: toPatterns(config.exclude_lines),
    sample: config.sample === undefined ? undefined : toSample(config.sample),
    rateLimit: config.rate_limit && {
      linesPerSecond: config.rate_limit.lines_per_second,
      burst: config.rate_limit.burst ?? Math.max(1, Math.ceil(config.rate_limit.lines_per_second)),
    },
    redact: config.redact?.length === 0 ? undefined : config.redact,
    attributes: config.attributes,
  };
  return Object.values(settings).every((rule) => rule === undefined) ? undefined : settings;
}

function toPatterns(patterns: string | readonly string[] | undefined): string[] | undefined {
  return patterns === undefined ? undefined : [patterns].flat();
}

function toMultiline(
  config: NonNullable<FramingConfig["multiline"]>,
): ProcessingSettings["multiline"] {
  if (typeof config === "string") {
    return { rule: config, ...MULTILINE_DEFAULTS };
  }
  const { max_lines: maxLines, max_bytes: maxBytes, max_wait: maxWaitMs } = config;
  const rule =
    "preset" in config ? config.preset : { start: config.start, continue: config.continue };
  return { rule, maxLines, maxBytes, maxWaitMs };
}

function toParse(config: NonNullable<ProcessingConfig["parse"]>): ProcessingSettings["parse"] {
  if (typeof config === "string") {
    return { format: config, fields: undefined, time: undefined };
  }
  const { fields, time } = config;
  return { format: "format" in config ? config.format : { regex: config.regex }, fields, time };
}

function toSeverity({
  field,
  map,
  default: name,
}: NonNullable<ProcessingConfig["severity"]>): ProcessingSettings["severity"] {
  return {
    field,
    map: Object.fromEntries(Object.entries(map).map(([text, level]) => [text, severityOf(level)])),
    default: name === undefined ? undefined : severityOf(name),
  };
}

function toSample(config: NonNullable<ProcessingConfig["sample"]>): ProcessingSettings["sample"] {
  if (typeof config === "number") {
    return { keep: config, unless: undefined };
  }
  const unless = config.unless === undefined ? undefined : parseLevelRange(config.unless);
  return { keep: config.keep, unless: unless?.ok === true ? unless.value : undefined };
}

/** The first number of a level that the schema has checked. */
function severityOf(level: string): number {
  const range = parseLevel(level);
  return range.ok ? range.value.min : 0;
}

function matchesNothing(source: string): boolean {
  const parsed = UserPattern.parse(source);
  return parsed.ok && parsed.value.test("");
}

function parseShare(text: string): Result<number> {
  const match = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text.trim());
  const percent = Number(match?.[1]);
  return percent > 0 && percent <= 100
    ? ok(percent / 100)
    : err("expected a percentage such as 10%, above 0 and at most 100");
}

function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`;
}
