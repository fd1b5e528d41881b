import type { DurationMs } from "@sluice/quantity";

import type { GapReport, JobReport, StatsReport } from "../api/admin-report.ts";
import type { AgentEntry } from "../api/agent-list.ts";
import type { BackupReport } from "../backup/backup-report.ts";
import type { CompactReport } from "../compaction/compact-report.ts";
import type {
  DeleteOptions,
  DeletePreview,
  DeleteReport,
  DeleteSelection,
} from "../deletion/delete-report.ts";
import { CollectorClient } from "./api-client.ts";
import { CollectorSource } from "./collector-source.ts";
import { resolveTarget, type TargetOptions } from "./context.ts";
import type { DoctorReport } from "../doctor/doctor-report.ts";
import { FolderSource } from "./folder-source.ts";
import type { PlanReport, PruneReport } from "../retention/retention-report.ts";

export interface PruneRequest {
  /** Believe the clock again, where ages are suspended. */
  readonly confirmClock: boolean;
}

/** What an operator's commands ask: of a running collector, or of a data folder. */
export interface AdminSource extends AsyncDisposable {
  /** Of which nothing was received for `silentMs`, where that is given. */
  agents(silentMs?: DurationMs): Promise<AgentEntry[]>;
  gaps(): Promise<GapReport[]>;
  jobs(): Promise<JobReport[]>;
  stats(): Promise<StatsReport>;
  plan(): Promise<PlanReport>;
  prune(request: PruneRequest): Promise<PruneReport>;
  compact(): Promise<CompactReport>;
  previewDelete(selection: DeleteSelection): Promise<DeletePreview>;
  /** Deletes what a preview has shown. */
  delete(options: DeleteOptions): Promise<DeleteReport>;
  /** @param path absolute, on the collector's machine */
  backup(path: string): Promise<BackupReport>;
  doctor(isDeep: boolean): Promise<DoctorReport>;
}

export interface SourceOptions extends TargetOptions {
  /** The file that holds the policy, for a data folder; a collector has its own. */
  readonly config?: string | undefined;
}

/** @throws Failure where the target cannot be made out, StoreError where a folder holds no data */
export async function openAdminSource(
  options: SourceOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AdminSource> {
  const target = await resolveTarget(options, env);
  switch (target.kind) {
    case "collector":
      return new CollectorSource(new CollectorClient(target.url, target.token, target.trust));
    case "data":
      return new FolderSource(target.dataDir, options.config, env);
    default:
      return target satisfies never;
  }
}
