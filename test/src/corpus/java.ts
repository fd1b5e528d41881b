import type { LineSource, Scene } from "./line-source.ts";
import { SEVERITY } from "./line-source.ts";
import type { LineWriter } from "./line-writer.ts";
import { compile } from "./template.ts";

const MESSAGES = [
  "INFO  [http-nio-8080-exec-{skew:40}] c.e.shop.web.OrderController - GET {path} {of:200|304|404} {skew:900}ms",
  "DEBUG [http-nio-8080-exec-{skew:40}] o.h.SQL - select o.id, o.total from orders o where o.customer_id={n:100000}",
  "INFO  [kafka-consumer-{skew:4}] c.e.shop.events.OrderListener - consumed partition={skew:12} offset={counter} lag={skew:90}",
  "WARN  [HikariPool-1 housekeeper] c.z.hikari.pool.HikariPool - Thread starvation or clock leap detected (housekeeper delta={n:90}s{n:999}ms)",
  "INFO  [scheduling-1] c.e.shop.jobs.Cleanup - removed {skew:900} sessions in {skew:900}ms",
  "ERROR [http-nio-8080-exec-{skew:40}] c.e.shop.web.Errors - request {trace} failed\n" +
    "java.util.concurrent.TimeoutException: no answer from {lan}:8080 within 3000 ms\n" +
    "\tat com.example.shop.http.Client.send(Client.java:{n:400})\n" +
    "\tat com.example.shop.orders.OrderService.place(OrderService.java:{n:400})\n" +
    "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
];

const SEVERITIES = new Map([
  ["D", SEVERITY.debug],
  ["I", SEVERITY.info],
  ["W", SEVERITY.warn],
  ["E", SEVERITY.error],
]);

/** Writes `2026-11-22 08:00:00,123 `, which begins every event. */
export function writeJavaTime({ clock }: Scene, line: LineWriter): void {
  clock.write(line, "log4j");
  line.byte(0x2c);
  clock.writeFraction(line, 3);
  line.byte(0x20);
}

/** Logback lines, some of them with the stack trace of an exception behind them. */
export function javaLines(scene: Scene): LineSource {
  const { prng, clock, world } = scene;
  const messages = MESSAGES.map((text) => ({
    write: compile(text),
    severity: SEVERITIES.get(text.slice(0, 1)) ?? SEVERITY.none,
  }));
  return (line) => {
    clock.advance();
    world.nextLine();
    writeJavaTime(scene, line);
    const message = messages[prng.skewed(messages.length)];
    message?.write(line, prng, world);
    line.byte(0x0a);
    return message?.severity ?? SEVERITY.none;
  };
}
