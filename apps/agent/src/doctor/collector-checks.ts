import { formatDuration } from "@sluice/quantity";
import { LIMITS, SUBPROTOCOL } from "@sluice/protocol";
import WebSocket from "ws";

import { adviceForStatus } from "../collector-advice.ts";
import { probeCollector, type ProbeAnswer } from "../collector-probe.ts";
import { type Check, fail, ok, warn } from "./doctor-report.ts";

/** The `Date` header is cut to a second, and the answer takes a while. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Whether a collector can be reached, is one, takes the token, and has the same time. */
export async function checkCollector(
  collector: string,
  token: () => Promise<string>,
): Promise<readonly Check[]> {
  let answer: ProbeAnswer;
  try {
    answer = await probeCollector(collector, "/healthz");
  } catch (error) {
    return [unreachable(collector, error as NodeJS.ErrnoException)];
  }
  if (answer.status !== 200) {
    const summary = `answers ${answer.status} where a collector says that it is well`;
    const advice = "check the URL: something else answers there";
    return [fail(collector, summary, advice)];
  }
  return [
    checkTransport(collector),
    ...checkClock(answer.dateMs, Date.now()),
    await checkToken(collector, token),
  ];
}

function checkTransport(collector: string): Check {
  const { protocol, hostname } = new URL(collector);
  const isLocal = /^(localhost|127\..*|\[::1\])$/.test(hostname);
  if (protocol === "wss:") {
    return ok(collector, "reached, its certificate holds");
  }
  return isLocal
    ? ok(collector, "reached")
    : warn(
        collector,
        "reached, without TLS: the token and the lines can be read on the way",
        "put the collector behind TLS and use wss://",
      );
}

function checkClock(dateMs: number | undefined, nowMs: number): readonly Check[] {
  if (dateMs === undefined) {
    return [];
  }
  const skewMs = nowMs - dateMs;
  const offBy = formatDuration(Math.round(Math.abs(skewMs) / 1_000) * 1_000);
  if (Math.abs(skewMs) <= CLOCK_TOLERANCE_MS) {
    return [ok("clock", "agrees with the collector's")];
  }
  const summary = `is ${offBy} ${skewMs > 0 ? "ahead of" : "behind"} the collector's`;
  return [warn("clock", summary, "have both kept by NTP: timedatectl set-ntp true")];
}

/** Opens a connection as the agent does, and leaves before it says who it is: a running agent is not disturbed. */
async function checkToken(collector: string, token: () => Promise<string>): Promise<Check> {
  let bearer: string;
  try {
    bearer = await token();
  } catch (error) {
    const { message } = error as Error;
    const advice = "copy the collector's data_dir/tokens/ingest.token there, mode 0600";
    return fail("token", message, advice);
  }
  return new Promise((resolve) => {
    const socket = new WebSocket(new URL("/v1/agent", collector), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${bearer}` },
      perMessageDeflate: false,
      handshakeTimeout: LIMITS.handshakeTimeoutMs,
    });
    socket.on("open", () => {
      socket.close();
      resolve(ok("token", "accepted"));
    });
    socket.on("unexpected-response", (request, { statusCode = 0 }) => {
      request.destroy();
      const advice = adviceForStatus(statusCode) ?? "try again in a minute";
      resolve(fail("token", `the collector answers ${statusCode}`, advice));
    });
    socket.on("error", ({ message }) =>
      resolve(
        fail("token", `no connection: ${message}`, "let what stands between pass WebSockets on"),
      ),
    );
  });
}

function unreachable(collector: string, { code = "", message }: NodeJS.ErrnoException): Check {
  return fail(collector, `cannot be reached: ${message || code}`, adviceForError(code, collector));
}

function adviceForError(code: string, collector: string): string {
  const { host, hostname } = new URL(collector);
  if (/CERT|SIGNATURE|SELF_SIGNED/.test(code)) {
    return code === "ERR_TLS_CERT_ALTNAME_INVALID"
      ? "use the name that the certificate is for, or have it made for this one"
      : "name the authority that signed it in NODE_EXTRA_CA_CERTS, and look at the certificate's dates";
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${hostname} is not a name that this host can look up: check the URL and the resolver`;
    case "ECONNREFUSED":
      return `nothing listens on ${host}: start the collector, and have it listen on more than loopback`;
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return "there is no TLS on that port: use ws://, or the port that has it";
    case "ECONNRESET":
      return "something closes the connection: is TLS spoken there (wss://), or is a proxy between?";
    default:
      return `see whether a firewall lets this host through to ${host}`;
  }
}
