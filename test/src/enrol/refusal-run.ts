import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CLOSE_NOTES } from "@sluice/protocol";

import { type Refusal, type RefusalPlaces, RefusalSite } from "./refusal-site.ts";
import { SecureCollector } from "./secure-collector.ts";

/** The promise of `sluice agents revoke`. */
const REVOKED_WITHIN_MS = 5_000;

const isNotConnected = ({ msg }: { readonly msg: string }): boolean =>
  msg.startsWith("not connected");

/** Tokens that are good once, and tokens that are not. */
export async function refuseTokens(
  dir: string,
  places: RefusalPlaces,
): Promise<readonly Refusal[]> {
  await using site = await RefusalSite.open(dir, places);
  const token = await site.token("--host", "web-*", "--label", "env=prod");
  const web = await site.enrolledHost("web-1", token);
  site.note("again", (await web.enroll(token)).stdout, "enrolled already");
  const found = await site.collector.sluice("query", "env:prod host:web-1", "-o", "raw");
  site.note("a query of what it sent", found.stdout, "one\ntwo");

  const second = site.host("web-2");
  site.refused("a used token", await second.enroll(token), "used already", "sluice enroll new");
  const short = await site.token("--ttl", "1s");
  await delay(1_100);
  site.refused("an expired token", await second.enroll(short), "expired at", "sluice enroll new");
  site.refused("no such token", await second.enroll("sle_x"), "not known here", "the whole line");
  const narrow = await site.token("--host", "web-*");
  const other = site.host("db-1");
  site.refused("another host's token", await other.enroll(narrow), "named web-*", "is db-1");
  site.noteLeaks();
  return site.refusals;
}

/** A copy of a state folder, a key that is revoked while it is in use, and the way back. */
export async function refuseKeys(dir: string, places: RefusalPlaces): Promise<readonly Refusal[]> {
  await using site = await RefusalSite.open(dir, places);
  const { collector } = site;
  const token = await site.token("--uses", "9");
  const web = await site.enrolledHost("web-1", token);
  const copy = site.watch(web.clone(join(dir, "copy")));
  const agentOfCopy = copy.run();
  const cloned = await agentOfCopy.logged(isNotConnected);
  site.note(
    "a cloned state folder",
    cloned.text,
    CLOSE_NOTES.cloneRefused.meaning,
    "needs a new id",
  );
  await agentOfCopy.stop();
  site.note("the list of agents", (await collector.sluice("agents")).stdout, "connected, cloned");

  const ended = web.service.logged(isNotConnected);
  const startMs = performance.now();
  const revoked = await collector.sluice("agents", "revoke", "web-1");
  const { text } = await ended;
  const tookMs = Math.round(performance.now() - startMs);
  const isInTime = tookMs < REVOKED_WITHIN_MS ? "in time" : "late";
  site.note(
    "a revocation",
    `${revoked.stdout} ${tookMs} ms: ${isInTime}`,
    "Revoked web-1",
    "Its connection ended",
    "in time",
  );
  site.note("a revoked key, at once", text, "was revoked", CLOSE_NOTES.unauthenticated.reaction);
  await web.service.stop();
  const denied = await web.run().logged(isNotConnected);
  site.note("a revoked key, later", denied.text, "401", "was revoked", "sluice enroll new");
  await web.service.stop();
  site.refused("a revoked agent's new token", await web.enroll(token), "was revoked", "forget");
  await collector.sluice("agents", "forget", "web-1");
  site.note("after forget", (await web.enroll(token)).stdout, "enrolled at");
  site.noteLeaks();
  return site.refusals;
}

/** A key that the agent replaces while it ships, and one that somebody has kept. */
export async function refuseOldKeys(
  dir: string,
  places: RefusalPlaces,
): Promise<readonly Refusal[]> {
  await using site = await RefusalSite.open(dir, places);
  const { collector } = site;
  const web = await site.enrolledHost("web-1", await site.token());
  const old = web.key;
  const copy = site.watch(web.clone(join(dir, "kept")));
  const replaced = web.service.logged(({ msg }) => msg.startsWith("the key was replaced"));
  const back = web.service.loggedNext(({ msg }) => msg === "connected");
  const rotated = await collector.sluice("agents", "rotate", "web-1");
  site.note("a rotation", rotated.stdout, "replaces its key");
  await replaced;
  await back;
  site.note("the key", web.key === old ? "the same" : "another", "another");
  web.write("three");
  await site.untilStored(3);
  const kept = await copy.run().logged(isNotConnected);
  site.note("the old key", kept.text, "401", "not known here");
  const again = await web.enroll("");
  site.note("the new key", again.stdout, "enrolled already", "web-1");
  site.noteLeaks();
  return site.refusals;
}

/** Somebody in between, with a certificate of an authority of their own. */
export async function refuseStrangers(
  dir: string,
  places: RefusalPlaces,
): Promise<readonly Refusal[]> {
  await using site = await RefusalSite.open(dir, places);
  const { url, fingerprint } = site.collector;
  const token = await site.token("--uses", "9");
  const web = await site.enrolledHost("web-1", token);
  await web.service.stop();
  const victim = site.host("victim");
  const wrong = await victim.enroll(token, "--fingerprint", `sha256:${"0".repeat(64)}`);
  site.refused(
    "a wrong fingerprint",
    wrong,
    "another fingerprint",
    fingerprint,
    "nothing was sent",
  );

  const stranger = site.watch(await SecureCollector.start(join(dir, "stranger"), places.stranger));
  if (places.intrude !== undefined) {
    places.intrude();
    await stranger.service.stop();
    await stranger.serve("--listen", url.slice("wss://".length));
  }
  const lured = site.host("lured", places.intrude === undefined ? stranger.url : url);
  const pinned = await lured.enroll(token);
  site.refused("a token to a stranger", pinned, "has not signed", "nothing was sent");
  const printed = await lured.enroll(token, "--fingerprint", fingerprint);
  site.refused("a token by fingerprint", printed, "another fingerprint", "stand between");
  const copy = site.watch(web.clone(join(dir, "moved"), lured.wish.collector));
  const { text } = await copy.run().logged(isNotConnected);
  site.note("a key to a stranger", text, "has not signed", "nothing was sent");
  const heard = stranger.service.log.filter(({ level }) => level > 30).map((line) => line.text);
  site.note("what the stranger heard", heard.join("\n") || "nothing", "nothing");
  site.noteLeaks();
  return site.refusals;
}
