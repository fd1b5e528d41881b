import type { RecordFields } from "./record-fields.ts";

/**
 * The common and combined log formats of Apache and nginx, with the virtual host that Apache may put
 * in front; what a format of one's own has behind them is left to the body.
 */
const ACCESS =
  /^(?:(\S{1,255}:\d{1,5}) )?(\S{1,255}) (\S{1,64}) (\S{1,255}) \[([^\]]{20,40})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?/s;
const REQUEST = /^([A-Z]{1,32}) (\S+)(?: HTTP\/([\d.]{1,8}))?$/;

/** Fields bear the names of OpenTelemetry's semantic conventions for HTTP. */
export function parseAccessLog(text: string, fields: RecordFields): boolean {
  const match = ACCESS.exec(text);
  if (match === null) {
    return false;
  }
  const [, server, client, , user, time = "", request = "", status, size, referer, agent] = match;
  fields.add("time", time);
  addKnown("server.address", server, fields);
  addKnown("client.address", client, fields);
  addKnown("user.name", user, fields);
  const [, method, target, version] = REQUEST.exec(request) ?? [];
  addKnown("http.request.method", method, fields);
  addKnown("url.original", target, fields);
  addKnown("network.protocol.version", version, fields);
  addKnown("http.response.status_code", status, fields);
  addKnown("http.response.body.size", size, fields);
  addKnown("http.request.header.referer", referer, fields);
  addKnown("user_agent.original", agent, fields);
  return true;
}

function addKnown(name: string, value: string | undefined, fields: RecordFields): void {
  if (value !== undefined && value !== "-" && value !== "") {
    fields.add(name, value);
  }
}
