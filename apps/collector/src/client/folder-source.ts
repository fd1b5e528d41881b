import { existsSync } from "node:fs";
import { EXIT, Failure } from "@sluice/service";
import type { DurationMs } from "@sluice/quantity";
import type { RetentionPolicy } from "@sluice/retention";
import { openStoreReader, runDoctor, Store, StoreError, type StoreReader } from "@sluice/store";

import {
  type GapReport,
  type JobReport,
  listGaps,
  listJobs,
  reportStats,
  type StatsReport,
} from "../api/admin-report.ts";
import type { AdminSource, PruneRequest } from "./admin-source.ts";
import { type AgentEntry, listAgents } from "../api/agent-list.ts";
import { backUpNow, type BackupReport } from "../backup/backup-report.ts";
import { type DoctorReport, toDoctorReport } from "../doctor/doctor-report.ts";
import { describeNotice } from "../server/notice-log.ts";
import { compactNow, type CompactReport } from "../compaction/compact-report.ts";
import type {
  DeleteOptions,
  DeletePreview,
  DeleteReport,
  DeleteSelection,
} from "../deletion/delete-report.ts";
import { DeletionDesk } from "../deletion/deletion-desk.ts";
import { ClockWatch, SYSTEM_CLOCKS } from "../retention/clock-watch.ts";
import { makeRoomToOpen } from "../guard/volume-watch.ts";
import { lastReceiptUs, readVolume } from "../retention/inventory.ts";
import { decideRetention } from "../retention/retention-decision.ts";
import { RetentionJob } from "../retention/retention-job.ts";
import type { PlanReport, PruneReport } from "../retention/retention-report.ts";
import { loadSettings } from "../settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * A data folder without a collector to ask: who is connected and how far behind is unknown, and the
 * policy is the configuration file's. What changes something takes the folder's lock.
 */
export class FolderSource implements AdminSource {
  readonly #dataDir: string;
  readonly #configFile: string | undefined;
  readonly #env: Env;
  readonly #reader: StoreReader;
  readonly #desk: DeletionDesk;
  readonly #gone = new AbortController();

  /**
   * @param configFile `--config`; the standard path where it is not given
   * @throws StoreError where there is no data, or it cannot be read
   */
  constructor(dataDir: string, configFile: string | undefined, env: Env) {
    this.#dataDir = dataDir;
    this.#configFile = configFile;
    this.#env = env;
    this.#reader = openStoreReader(dataDir);
    const reader = this.#reader;
    this.#desk = new DeletionDesk({
      reader,
      closeReceipts: async () => ({
        receivedUs: reader.stats().newestReceivedUs ?? 0,
        highWater: reader.highWater,
      }),
      // Nobody would go on with it in the background.
      carryOut: async (order) => {
        await using store = await openUnused(dataDir);
        await store.delete(order);
        await store.removeDeleted();
        return { isGone: true };
      },
      nowMs: Date.now,
    });
  }

  async agents(silentMs?: DurationMs): Promise<AgentEntry[]> {
    const silence =
      silentMs === undefined ? undefined : { nowUs: SYSTEM_CLOCKS.wallUs(), forMs: silentMs };
    return listAgents(this.#reader, undefined, silence);
  }

  async gaps(): Promise<GapReport[]> {
    return listGaps(this.#reader);
  }

  async jobs(): Promise<JobReport[]> {
    return listJobs(this.#reader);
  }

  async stats(): Promise<StatsReport> {
    const watch = await this.#watch();
    return reportStats(this.#reader, {
      connectedAgents: undefined,
      volume: await readVolume(this.#dataDir),
      clockSuspect: watch.look()?.reason,
      ingestPaused: undefined,
    });
  }

  async plan(): Promise<PlanReport> {
    const policy = await this.#policy();
    const suspension = (await this.#watch()).look();
    const nowUs = SYSTEM_CLOCKS.wallUs();
    const question = { dataDir: this.#dataDir, policy, suspension, nowUs };
    return (await decideRetention(this.#reader, question)).report;
  }

  async prune({ confirmClock }: PruneRequest): Promise<PruneReport> {
    const policy = await this.#policy();
    await using store = await openUnused(this.#dataDir);
    const watch = await this.#watch();
    await using job = new RetentionJob({
      store,
      decide: (question) => decideRetention(this.#reader, question),
      dataDir: this.#dataDir,
      policy,
      watch,
      events: { pruned: () => undefined, suspended: () => undefined, failed: () => undefined },
    });
    if (confirmClock) {
      await job.confirmClock();
    }
    return await job.prune();
  }

  async compact(): Promise<CompactReport> {
    await using store = await openUnused(this.#dataDir);
    return await compactNow(store, this.#reader);
  }

  async backup(path: string): Promise<BackupReport> {
    await using store = await openUnused(this.#dataDir);
    return await backUpNow(store, path);
  }

  async doctor(isDeep: boolean): Promise<DoctorReport> {
    return toDoctorReport(await runDoctor({ dataDir: this.#dataDir, isDeep }));
  }

  previewDelete(selection: DeleteSelection): Promise<DeletePreview> {
    return this.#desk.preview(selection, this.#gone.signal);
  }

  delete(options: DeleteOptions): Promise<DeleteReport> {
    return this.#desk.delete(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort();
    return Promise.resolve(this.#reader[Symbol.asyncDispose]());
  }

  async #watch(): Promise<ClockWatch> {
    return ClockWatch.start(this.#dataDir, lastReceiptUs(this.#reader));
  }

  /** The defaults are not applied to a folder unasked: its collector may well run on another file. */
  async #policy(): Promise<RetentionPolicy> {
    const { file, retention } = await loadSettings({
      file: this.#configFile,
      env: this.#env,
      flags: {},
    });
    if (!existsSync(file)) {
      throw new Failure(
        `${file}: there is no such file, and so no policy for ${this.#dataDir}`,
        "name the collector's configuration with --config",
        EXIT.config,
      );
    }
    return retention;
  }
}

async function openUnused(dataDir: string): Promise<Store> {
  await makeRoomToOpen(dataDir);
  try {
    // A failure is told by the work that it ends.
    return await Store.open(dataDir, {
      committed: () => undefined,
      failed: () => undefined,
      full: () => undefined,
      noticed: (notice) => process.stderr.write(`sluice: ${describeNotice(notice)}\n`),
    });
  } catch (error) {
    if (error instanceof StoreError && error.code === "data-locked") {
      throw new Failure(
        `a collector is running on ${dataDir}`,
        "leave out --data to have the collector do it, or stop it first",
        EXIT.failed,
        { cause: error },
      );
    }
    throw error;
  }
}
