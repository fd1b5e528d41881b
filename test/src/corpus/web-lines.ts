import type { LineSource, Scene } from "./line-source.ts";
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
  };
}

/** One JSON object per line, as pino, zap and others write them. */
export function jsonLines({ prng, clock, world }: Scene): LineSource {
  const opening = Buffer.from('{"time":"', "latin1");
  const bodies = [
    'Z","level":"info","service":"{of:api|cart|search}","msg":"request completed","method":"GET","path":"{path}","status":{of:200|304|404},"durationMs":{skew:900}.{frac:2},"traceId":"{trace}"}\n',
    'Z","level":"debug","service":"cart","msg":"cache miss","key":"product:{skew:20000}","ttl":300}\n',
    'Z","level":"info","service":"{of:api|cart}","msg":"order placed","order":{counter},"customer":{n:100000},"total":{skew:900}.{frac:2},"traceId":"{trace}"}\n',
    'Z","level":"warn","service":"api","msg":"slow query","table":"orders","durationMs":{n:9000},"rows":{skew:9000},"traceId":"{trace}"}\n',
    'Z","level":"error","service":"api","msg":"upstream failed","err":{"type":"Error","code":"ECONNREFUSED","message":"connect ECONNREFUSED {lan}:8080"},"traceId":"{trace}"}\n',
  ].map(compile);
  return (line) => {
    clock.advance();
    world.nextLine();
    line.text(opening);
    clock.write(line, "rfc3339");
    line.byte(0x2e);
    line.padded(Math.floor(clock.fractionUs / 1000), 3);
    bodies[prng.skewed(bodies.length)]?.(line, prng, world);
  };
}
