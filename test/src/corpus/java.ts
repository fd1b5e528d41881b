import type { LineSource, Scene } from "./line-source.ts";
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

/** Logback lines, some of them with the stack trace of an exception behind them. */
export function javaLines({ prng, clock, world }: Scene): LineSource {
  const messages = MESSAGES.map(compile);
  return (line) => {
    clock.advance();
    world.nextLine();
    clock.write(line, "log4j");
    line.byte(0x2c);
    line.padded(Math.floor(clock.fractionUs / 1000), 3);
    line.byte(0x20);
    messages[prng.skewed(messages.length)]?.(line, prng, world);
    line.byte(0x0a);
  };
}
