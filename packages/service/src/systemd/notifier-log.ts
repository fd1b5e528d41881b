import type { Log } from "../service-log.ts";
import { ServiceNotifier } from "./notifier.ts";

/** The notifier of this process, which writes into its log what goes wrong. */
export function ownNotifier(log: Pick<Log, "warn" | "error">): ServiceNotifier {
  return new ServiceNotifier({
    env: process.env,
    events: {
      failed: (err) => log.warn({ err }, "systemd cannot be told how the service is doing"),
      unwell: (err) => log.error({ err }, "not well: systemd will start the service anew"),
    },
  });
}
