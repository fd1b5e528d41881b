import { EXIT, Failure } from "@sluice/service";
import { type DurationMs, formatTimeRfc3339, timeUs } from "@sluice/quantity";
import type * as z from "zod";

import {
  GAP_LIST,
  type GapReport,
  JOB_LIST,
  type JobReport,
  STATS_REPORT,
  type StatsReport,
} from "../api/admin-report.ts";
import type { AdminSource, PruneRequest } from "./admin-source.ts";
import { AGENT_LIST, type AgentEntry } from "../api/agent-list.ts";
import type { CollectorClient } from "./api-client.ts";
import { API_ERROR, fromApiError } from "../api/api-error.ts";
import { BACKUP_REPORT, type BackupReport } from "../backup/backup-report.ts";
import { DOCTOR_REPORT, type DoctorReport } from "../doctor/doctor-report.ts";
import { COMPACT_REPORT, type CompactReport } from "../compaction/compact-report.ts";
import {
  DELETE_PREVIEW,
  DELETE_REPORT,
  type DeleteOptions,
  type DeletePreview,
  type DeleteReport,
  type DeleteSelection,
} from "../deletion/delete-report.ts";
import {
  PLAN_REPORT,
  PRUNE_REPORT,
  type PlanReport,
  type PruneReport,
} from "../retention/retention-report.ts";

/** A running collector, asked over its API. */
export class CollectorSource implements AdminSource {
  readonly #client: Pick<CollectorClient, "getJson" | "postJson">;
  readonly #gone = new AbortController();

  constructor(client: Pick<CollectorClient, "getJson" | "postJson">) {
    this.#client = client;
  }

  agents(silentMs?: DurationMs): Promise<AgentEntry[]> {
    const parameters = silentMs === undefined ? "" : `?silent=${silentMs}ms`;
    return this.#get(AGENT_LIST, `v1/agents${parameters}`);
  }

  gaps(): Promise<GapReport[]> {
    return this.#get(GAP_LIST, "v1/gaps");
  }

  jobs(): Promise<JobReport[]> {
    return this.#get(JOB_LIST, "v1/jobs");
  }

  stats(): Promise<StatsReport> {
    return this.#get(STATS_REPORT, "v1/stats");
  }

  plan(): Promise<PlanReport> {
    return this.#get(PLAN_REPORT, "v1/retention/plan");
  }

  prune(request: PruneRequest): Promise<PruneReport> {
    return this.#post(PRUNE_REPORT, "v1/prune", request);
  }

  compact(): Promise<CompactReport> {
    return this.#post(COMPACT_REPORT, "v1/compact", {});
  }

  backup(path: string): Promise<BackupReport> {
    return this.#post(BACKUP_REPORT, "v1/backup", { dir: path });
  }

  async doctor(isDeep: boolean): Promise<DoctorReport> {
    const path = `v1/doctor?deep=${isDeep ? 1 : 0}`;
    return check(DOCTOR_REPORT, await this.#client.getJson(path, this.#gone.signal));
  }

  previewDelete({ query, fromUs, untilUs }: DeleteSelection): Promise<DeletePreview> {
    return this.#post(DELETE_PREVIEW, "v1/delete", {
      query,
      ...(fromUs !== undefined && { since: formatTimeRfc3339(timeUs(fromUs)) }),
      ...(untilUs !== undefined && { until: formatTimeRfc3339(timeUs(untilUs)) }),
      dryRun: true,
    });
  }

  delete(options: DeleteOptions): Promise<DeleteReport> {
    return this.#post(DELETE_REPORT, "v1/delete", options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort();
  }

  async #post<T>(schema: z.ZodType<T>, path: string, body: unknown): Promise<T> {
    return check(schema, await this.#client.postJson(path, body, this.#gone.signal));
  }

  async #get<T>(schema: z.ZodType<T>, path: string): Promise<T> {
    return check(schema, await this.#client.getJson(path));
  }
}

/** An answer that took its time may say in the end that it failed. */
function check<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) {
    return parsed.data;
  }
  const error = API_ERROR.safeParse(answer);
  throw error.success
    ? fromApiError(error.data)
    : new Failure(
        "the collector's answer is not one that this version of sluice understands",
        "use the sluice of the collector's own version",
        EXIT.failed,
        { cause: parsed.error },
      );
}
