import { measured, type MetricFamily, renderMetrics } from "@sluice/service";

import type { AgentStatus, StreamStatus } from "../status/status-document.ts";

/** A status as Prometheus has it; streams of a source are one series. */
export function renderStatus(status: AgentStatus): string {
  const { connection, streams, acknowledged, processing } = status;
  const isConnected = connection.state === "connected" ? 1 : 0;
  const counted = (
    name: string,
    help: string,
    field: Exclude<keyof AgentStatus["acknowledged"][number], "source">,
  ): MetricFamily => {
    const values = Object.fromEntries(acknowledged.map((each) => [each.source, each[field]]));
    return measured("counter", name, help, { label: "source", values });
  };
  const processed = (
    name: string,
    help: string,
    field: Exclude<keyof AgentStatus["processing"][number], "source">,
  ): MetricFamily => {
    const values = Object.fromEntries(processing.map((each) => [each.source, each[field]]));
    return measured("counter", name, help, { label: "source", values });
  };
  return renderMetrics([
    measured("gauge", "sluice_agent_build_info", "1, labelled with the version.", {
      label: "version",
      values: { [status.version]: 1 },
    }),
    measured("gauge", "sluice_agent_connected", "1 while a collector serves.", isConnected),
    measured(
      "counter",
      "sluice_agent_reconnects_total",
      "Connections after the first.",
      Math.max(0, connection.connections - 1),
    ),
    measured(
      "gauge",
      "sluice_agent_credit_bytes",
      "Uncompressed bytes that the collector takes at the moment.",
      connection.creditLeftBytes,
    ),
    measured("gauge", "sluice_agent_streams", "Streams that are not finished.", streams.length),
    measured(
      "gauge",
      "sluice_agent_streams_held",
      "Streams that the collector takes nothing of any more.",
      streams.filter(({ state }) => state === "held").length,
    ),
    measured("gauge", "sluice_agent_lag_bytes", "Bytes that are not acknowledged.", {
      label: "source",
      values: bySource(
        streams,
        ({ lagBytes }) => lagBytes,
        (a, b) => a + b,
      ),
    }),
    measured(
      "gauge",
      "sluice_agent_lag_seconds",
      "Time since everything there was had been acknowledged.",
      {
        label: "source",
        values: bySource(streams, ({ lagMs }) => lagMs / 1_000, Math.max),
      },
    ),
    measured(
      "gauge",
      "sluice_agent_unaccounted_bytes",
      "Bytes of unfinished streams that no account holds: anything but 0 is a fault of the agent.",
      {
        label: "source",
        values: bySource(
          streams,
          (stream) => stream.unaccountedBytes,
          (a, b) => a + b,
        ),
      },
    ),
    counted("sluice_agent_records_total", "Records acknowledged since the start.", "records"),
    counted("sluice_agent_bytes_total", "Bytes of the source in them.", "storedBytes"),
    counted("sluice_agent_filtered_total", "Records that rules dropped.", "filteredRecords"),
    counted("sluice_agent_filtered_bytes_total", "Bytes of the source in them.", "filteredBytes"),
    processed(
      "sluice_agent_excluded_total",
      "Records that include_lines and exclude_lines dropped.",
      "excluded",
    ),
    processed("sluice_agent_sampled_total", "Records that sample dropped.", "sampled"),
    processed("sluice_agent_rate_limited_total", "Records that rate_limit dropped.", "rateLimited"),
    processed(
      "sluice_agent_redacted_total",
      "Records in which something was replaced.",
      "redactions",
    ),
    processed("sluice_agent_unparsed_total", "Records not of the format of parse.", "unparsed"),
    processed(
      "sluice_agent_dropped_attributes_total",
      "Attributes that records had no room for.",
      "droppedAttributes",
    ),
    processed("sluice_agent_rule_failures_total", "Records on which a rule failed.", "failed"),
    counted("sluice_agent_gap_bytes_total", "Bytes read and recorded as gaps.", "gapBytes"),
    counted("sluice_agent_lost_bytes_total", "Bytes never read, as far as known.", "lostBytes"),
    measured("counter", "sluice_agent_gaps_total", "Losses recorded since the start.", status.gaps),
    measured(
      "gauge",
      "sluice_agent_resident_memory_bytes",
      "Memory that the agent holds (RSS).",
      status.rssBytes,
    ),
    measured(
      "counter",
      "sluice_agent_cpu_seconds_total",
      "Processor time that it took.",
      status.cpuMs / 1_000,
    ),
    measured(
      "gauge",
      "sluice_agent_start_time_seconds",
      "When it started, since the epoch.",
      Date.parse(status.startedAt) / 1_000,
    ),
  ]);
}

function bySource(
  streams: readonly StreamStatus[],
  value: (stream: StreamStatus) => number,
  join: (a: number, b: number) => number,
): Record<string, number> {
  const values = new Map<string, number>();
  for (const stream of streams) {
    const other = values.get(stream.source);
    const own = value(stream);
    values.set(stream.source, other === undefined ? own : join(other, own));
  }
  return Object.fromEntries(values);
}
