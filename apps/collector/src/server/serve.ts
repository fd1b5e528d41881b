import {
  createLog,
  EXIT,
  Failure,
  formatListen,
  type ListenAddress,
  type Log,
  endWithin,
  ownNotifier,
  stopSignal,
} from "@sluice/service";
import { floorOf } from "@sluice/retention";
import { openStoreReader, runDoctor, Store, StoreError, type StoreReader } from "@sluice/store";

import { adminApi } from "../api/admin-api.ts";
import { backUpNow } from "../backup/backup-report.ts";
import { toDoctorReport } from "../doctor/doctor-report.ts";
import { AgentDirectory } from "../ingest/agent-directory.ts";
import { createApi } from "../api/api.ts";
import { compactNow } from "../compaction/compact-report.ts";
import { DeletionDesk } from "../deletion/deletion-desk.ts";
import { ClockWatch } from "../retention/clock-watch.ts";
import { isLoopback } from "../config.ts";
import { Ballast } from "../guard/ballast.ts";
import { DiskGuard } from "../guard/disk-guard.ts";
import { logGuard } from "../guard/guard-log.ts";
import { makeRoomToOpen, readVolumeState } from "../guard/volume-watch.ts";
import { ArrivalFeed } from "../api/follow.ts";
import { HeadCap } from "../ingest/head-cap.ts";
import { Ingest } from "../ingest/ingest.ts";
import { lastReceiptUs } from "../retention/inventory.ts";
import { ConnectionGate } from "./connection-gate.ts";
import { CollectorMetrics } from "./metrics.ts";
import { RetentionJob } from "../retention/retention-job.ts";
import { logRetention } from "../retention/retention-log.ts";
import { decideInThread } from "../retention/retention-decider.ts";
import { NoticeLog } from "./notice-log.ts";
import { RefusalLog } from "./refusal-log.ts";
import { createHttpServer, listen } from "./server.ts";
import type { CollectorSettings } from "../settings.ts";
import { localUrl, type ReachFacts } from "./reach.ts";
import { routeAccess } from "./access-routes.ts";
import { agentAccess, agentListAccess } from "../access/agent-access.ts";
import { apiDoor } from "../access/api-door.ts";
import { openAccess } from "../access/open-access.ts";
import { writeLocalContext } from "../access/token-files.ts";
import { type TlsPaths, tlsServerOptions } from "../tls/tls-files.ts";
import { TlsWatch } from "../tls/tls-watch.ts";
import { withAccessChecks } from "../doctor/access-checks.ts";

/** Agents are asked to come back after this long when the collector restarts. */
const RETRY_AFTER_MS = 500;

/** What a merge writes before its inputs go: 1 GiB of text, an eighth of that on disk. */
const COMPACTION_OUTPUT_BYTES = 128 * 1024 * 1024;

export interface ServeOptions {
  readonly insecurePlaintext: boolean;
}

/** `sluice serve`: the collector in the foreground. */
export async function serve(settings: CollectorSettings, options: ServeOptions): Promise<void> {
  const log = createLog(process.stderr.isTTY);
  if (settings.tls === undefined && !isLoopback(settings.listen.host)) {
    if (!options.insecurePlaintext) {
      throw new Failure(
        `refusing to listen on ${settings.listen.host} in plain text: tokens and logs could be read on the way`,
        "make certificates with `sluice init`; behind a TLS proxy listen on 127.0.0.1; or accept it with --insecure-plaintext",
        EXIT.config,
      );
    }
    log.warn({ listen: settings.listen.host }, "INSECURE: tokens and logs travel in plain text");
  }
  await collect(settings, log);
  log.info("stopped");
}

/** Serves until a signal asks it to stop. Whatever was opened is closed again, also where a later step fails. */
async function collect(settings: CollectorSettings, log: Log): Promise<void> {
  process.umask(0o077); // logs are nobody else's, also in a data_dir that others may look into
  await using notifier = ownNotifier(log);
  const failed = Promise.withResolvers<StoreError>();
  const notices = new NoticeLog(log);
  const arrivals = new ArrivalFeed();
  const { dataDir } = settings;
  const releasedBytes = await makeRoomToOpen(dataDir);
  if (releasedBytes > 0) {
    log.warn({ releasedBytes }, "the volume of data_dir is full: released the ballast to start");
  }
  await using store = await Store.open(dataDir, {
    committed: (report) => {
      ingest.committed(report); // nothing is committed before it takes agents in
      arrivals.committed();
      metrics.committed(report);
      guard.committed(report);
    },
    failed: (error) => failed.resolve(error),
    noticed: (notice) => notices.noticed(notice),
    full: (dropped) => {
      ingest.dropped(dropped);
      guard.full();
    },
  });
  await using reader = openStoreReader(dataDir);
  const refusals = new RefusalLog(log);
  const connections = new ConnectionGate((address, reason) => refusals.refused(address, reason));
  const { gate, failures } = await openAccess(dataDir);
  using tls = settings.tls && (await watchTls(settings.tls, dataDir, log));
  const directory = new AgentDirectory();
  const ingest = new Ingest({
    store,
    directory,
    connections,
    access: agentAccess(gate, {
      renamed: (agentId, said, host) =>
        log.warn({ agentId, said, host }, "an agent calls itself otherwise than it was enrolled"),
    }),
    failures,
    wantsCertificate: settings.tls?.clientCaFile !== undefined,
    onRefused: (address, reason) => refusals.refused(address, reason),
    onError: (error) => log.error({ err: error }, "serving an agent failed"),
  });
  const watch = await ClockWatch.start(dataDir, lastReceiptUs(reader));
  using metrics = new CollectorMetrics({
    reader,
    directory,
    dataDir,
    isClockSuspect: () => watch.look() !== undefined,
    guardState: () => guard.state,
    notices: () => notices.counts,
    headPayloadBytes: () => store.headBytes,
  });
  await using retention = new RetentionJob({
    store,
    decide: decideInThread,
    dataDir,
    policy: settings.retention,
    watch,
    events: logRetention(log, (pruned) => metrics.pruned(pruned)),
  });
  const { min_free: minFree } = settings.retention;
  await using guard = new DiskGuard({
    readVolume: () => readVolumeState(dataDir, reader),
    ballast: new Ballast(dataDir),
    ingest: ingest.brake(),
    checkpoint: () => store.checkpoint(),
    prune: () => retention.prune(),
    retentionFloor: (totalBytes) => floorOf(minFree, { totalBytes, freeBytes: 0 }),
    compactionBytes: COMPACTION_OUTPUT_BYTES,
    events: logGuard(log, store),
  });
  using headCap = new HeadCap({
    brake: ingest.brake(),
    headBytes: () => store.headBytes,
    events: {
      capped: (headBytes) =>
        log.warn(
          { headBytes },
          "lines come in faster than they are compacted: agents have to wait",
        ),
      uncapped: (headBytes) => log.info({ headBytes }, "compaction has caught up: agents go on"),
    },
  });
  headCap.start();
  const apiFailed = (error: unknown): void => {
    log.error({ err: error }, "answering a request failed");
  };
  let isServing = true;
  const door = apiDoor(gate, failures);
  const app = createApi({
    reader: () => (isServing ? reader : undefined),
    arrivals,
    door,
    events: {
      searchBegan: () => metrics.searchBegan(),
      searchEnded: (tookMs) => metrics.searchEnded(tookMs),
      failed: apiFailed,
    },
  });
  const events = { failed: apiFailed };
  app.route(
    "/",
    adminApi({
      reader,
      directory,
      retention,
      guard,
      compact: () => compactNow(store, reader),
      backup: (path) => backUpNow(store, path),
      doctor: async (isDeep) =>
        withAccessChecks(
          toDoctorReport(await runDoctor({ dataDir, isDeep })),
          settings,
          Date.now(),
        ),
      deletion: deletionOn(store, reader),
      metrics,
      agentAccess: agentListAccess(gate.keyring),
      door,
      dataDir,
      events,
    }),
  );
  const reachFacts = (): ReachFacts => ({
    publicUrl: settings.publicUrl,
    listen: bound,
    certificate: tls?.material.certificate,
  });
  routeAccess(app, {
    settings,
    log,
    gate,
    failures,
    door,
    ingest,
    directory,
    reader,
    reachFacts,
    ca: () => tls?.material.ca,
    failed: apiFailed,
  });
  const server = createHttpServer(app, connections, tls && tlsServerOptions(tls.material));
  tls?.start(server);
  ingest.attach(server);
  await retention.start(); // a changed policy is in force before the first query
  await guard.start(); // whether there is room is known before the first agent
  const { address, port } = await listen(server, settings.listen);
  const bound: ListenAddress = { host: address, port };
  gate.addLocal(
    await writeLocalContext(dataDir, { ...localUrl(reachFacts()), caFile: settings.tls?.caFile }),
  );
  const stopped = stopSignal(); // before anyone is told that it is ready
  log.info({ listen: formatListen(bound), dataDir }, "ready");
  await notifier.ready(`serving on ${formatListen(bound)}`);
  notifier.watch(() => store.answer());

  const outcome = await Promise.race([stopped, failed.promise]);
  if (outcome instanceof StoreError) {
    log.fatal({ code: outcome.code, advice: outcome.advice }, outcome.message);
    process.exit(EXIT.failed);
  }
  log.info({ signal: outcome }, "stopping");
  endWithin();
  await notifier.stopping();
  isServing = false;
  ingest.goAway(RETRY_AFTER_MS);
  server.close();
  server.closeAllConnections();
}

function watchTls(paths: TlsPaths, dataDir: string, log: Log): Promise<TlsWatch> {
  return TlsWatch.open({
    paths,
    dataDir,
    nowMs: Date.now,
    events: {
      taken: (expires) => log.info({ expires }, "took up another certificate"),
      failed: (err) =>
        log.error({ err }, "the certificate could not be renewed or read: the old one stays"),
    },
  });
}

/** Deletes of a running collector: the store goes on with them in the background. */
function deletionOn(store: Store, reader: StoreReader): DeletionDesk {
  return new DeletionDesk({
    reader,
    closeReceipts: () => store.closeReceipts(),
    carryOut: async (order, wait) => {
      await store.delete(order);
      if (wait) {
        await store.removeDeleted();
      }
      return { isGone: wait };
    },
    nowMs: Date.now,
  });
}
