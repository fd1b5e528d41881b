import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

import { refuse } from "./refusal.ts";

/** A delete order with the longest query takes a quarter of it. */
const BODY_BYTES = 64 * 1024;

/** Refuses a body that is longer than any order before it is held in memory. */
export const limitBody: MiddlewareHandler = bodyLimit({
  maxSize: BODY_BYTES,
  onError: () =>
    refuse(413, {
      code: "body-too-large",
      message: `the body is longer than ${BODY_BYTES} bytes`,
      advice: "send what docs/querying.md says, and nothing more",
    }),
});

/** A parameter that is given twice has two meanings, of which one would be passed over in silence. */
export const refuseRepeated: MiddlewareHandler = async (context, next) => {
  const repeated = Object.entries(context.req.queries()).find(([, values]) => values.length > 1);
  return repeated === undefined
    ? next()
    : refuse(400, {
        code: "parameter-invalid",
        message: `${repeated[0]} is given ${repeated[1].length} times`,
        advice: "give each parameter once",
      });
};

/** Shares a long piece of work among all who ask for it while it goes on: it is under way once. */
export function shared<Key, Value>(
  work: (key: Key) => Promise<Value>,
): (key: Key) => Promise<Value> {
  const underWay = new Map<Key, Promise<Value>>();
  return (key) => {
    const running = underWay.get(key) ?? work(key).finally(() => underWay.delete(key));
    underWay.set(key, running);
    return running;
  };
}
