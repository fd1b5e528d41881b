import type { LineSource, Scene } from "./line-source.ts";
import { SEVERITY } from "./line-source.ts";
import type { LineWriter } from "./line-writer.ts";
import { compile } from "./template.ts";

/** nginx's combined access log. */
export function nginxLines({ prng, clock, world }: Scene): LineSource {
  const client = compile("{ip} - {of:-|-|-|-|-|admin} [");
  const request = compile(
    '] "{of:GET|GET|POST|HEAD} {path} HTTP/{of:1.1|2.0}" {of:200|200|304|404|301|500} {skew:90000} "{of:-|https://shop.example.com/|https://www.google.com/}" "{agent}"\n',
  );
  return (line) => {
    clock.advance();
    world.nextLine();
    client(line, prng, world);
    clock.write(line, "commonLog");
    request(line, prng, world);
    return SEVERITY.none;
  };
}

const JSON_OPENING = Buffer.from('{"time":"', "latin1");
const LEVEL = /"level":"(\w+)"/;

/** Writes `{"time":"2026-11-22T08:00:00.123`, which begins every object. */
export function writeJsonTime({ clock }: Scene, line: LineWriter): void {
  line.text(JSON_OPENING);
  clock.write(line, "rfc3339");
  line.byte(0x2e);
  clock.writeFraction(line, 3);
}

/** One JSON object per line, as pino, zap and others write them. */
export function jsonLines(scene: Scene): LineSource {
  const { prng, clock, world } = scene;
  const bodies = [
    'Z","level":"info","service":"{of:api|cart|search}","msg":"request completed","method":"GET","path":"{path}","status":{of:200|304|404},"durationMs":{skew:900}.{frac:2},"traceId":"{trace}"}\n',
    'Z","level":"debug","service":"cart","msg":"cache miss","key":"product:{skew:20000}","ttl":300}\n',
    'Z","level":"info","service":"{of:api|cart}","msg":"order placed","order":{counter},"customer":{n:100000},"total":{skew:900}.{frac:2},"traceId":"{trace}"}\n',
    'Z","level":"warn","service":"api","msg":"slow query","table":"orders","durationMs":{n:9000},"rows":{skew:9000},"traceId":"{trace}"}\n',
    'Z","level":"error","service":"api","msg":"upstream failed","err":{"type":"Error","code":"ECONNREFUSED","message":"connect ECONNREFUSED {lan}:8080"},"traceId":"{trace}"}\n',
  ].map((text) => ({ write: compile(text), severity: levelOf(text) }));
  return (line) => {
    clock.advance();
    world.nextLine();
    writeJsonTime(scene, line);
    const body = bodies[prng.skewed(bodies.length)];
    body?.write(line, prng, world);
    return body?.severity ?? SEVERITY.none;
  };
}

function levelOf(text: string): number {
  const level = LEVEL.exec(text)?.[1];
  return Object.entries(SEVERITY).find(([name]) => name === level)?.[1] ?? SEVERITY.none;
}
