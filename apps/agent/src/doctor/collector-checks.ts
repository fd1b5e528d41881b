import { formatDuration } from "@sluice/quantity";
import { LIMITS, SUBPROTOCOL } from "@sluice/protocol";
import type { Failure } from "@sluice/service";
import WebSocket from "ws";

import { adviceForStatus } from "../collector-advice.ts";
import type { AgentSettings } from "../agent-settings.ts";
import { probeCollector, type ProbeAnswer, readReason } from "../collector-probe.ts";
import { describeTlsError } from "../link-advice.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { type Check, fail, ok, warn } from "./doctor-report.ts";

const ENROL = "enrol this host: `sluice enroll new` on the collector prints the line for it";

/** The `Date` header is cut to a second, and the answer takes a while. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Whether a collector can be reached, is one, takes the token, and has the same time. */
export async function checkCollector(
  collector: string,
  { token, tls, tlsFiles }: Pick<AgentSettings, "token" | "tls" | "tlsFiles">,
): Promise<readonly Check[]> {
  let identity: TlsIdentity;
  try {
    identity = await tls();
  } catch (error) {
    const { message, advice } = error as Failure;
    return [fail("tls", message, advice)];
  }
  let answer: ProbeAnswer;
  try {
    answer = await probeCollector(collector, "/healthz", identity);
  } catch (error) {
    return [unreachable(collector, error as NodeJS.ErrnoException, tlsFiles.caFile)];
  }
  if (answer.status !== 200) {
    const summary = `answers ${answer.status} where a collector says that it is well`;
    const advice = "check the URL: something else answers there";
    return [fail(collector, summary, advice)];
  }
  return [
    checkTransport(collector),
    ...checkClock(answer.dateMs, Date.now()),
    await checkToken(collector, token, identity),
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
async function checkToken(
  collector: string,
  token: () => Promise<string>,
  tls: TlsIdentity,
): Promise<Check> {
  let bearer: string;
  try {
    bearer = await token();
  } catch (error) {
    const { message } = error as Error;
    return fail("token", message, ENROL);
  }
  return new Promise((resolve) => {
    const socket = new WebSocket(new URL("/v1/agent", collector), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${bearer}` },
      ...tls,
      perMessageDeflate: false,
      handshakeTimeout: LIMITS.handshakeTimeoutMs,
    });
    socket.on("open", () => {
      socket.close();
      resolve(ok("token", "accepted"));
    });
    socket.on("unexpected-response", (request, response) => {
      const { statusCode = 0 } = response;
      const advice = adviceForStatus(statusCode) ?? "try again in a minute";
      void readReason(response).then((reason) => {
        request.destroy();
        const said = reason === undefined ? "" : `: ${reason}`;
        resolve(fail("token", `the collector answers ${statusCode}${said}`, advice));
      });
    });
    socket.on("error", ({ message }) =>
      resolve(
        fail("token", `no connection: ${message}`, "let what stands between pass WebSockets on"),
      ),
    );
  });
}

function unreachable(
  collector: string,
  error: NodeJS.ErrnoException,
  caFile: string | undefined,
): Check {
  const { code = "", message } = error;
  const ofTls = describeTlsError(error, collector, caFile);
  return ofTls === undefined
    ? fail(collector, `cannot be reached: ${message || code}`, adviceForError(code, collector))
    : fail(collector, ofTls.message, ofTls.advice);
}

function adviceForError(code: string, collector: string): string {
  const { host, hostname } = new URL(collector);
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${hostname} is not a name that this host can look up: check the URL and the resolver`;
    case "ECONNREFUSED":
      return `nothing listens on ${host}: start the collector, and have it listen on more than loopback`;
    case "ECONNRESET":
      return "something closes the connection: is TLS spoken there (wss://), or is a proxy between?";
    default:
      return `see whether a firewall lets this host through to ${host}`;
  }
}
