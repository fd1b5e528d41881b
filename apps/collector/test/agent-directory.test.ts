import { expect, test } from "vitest";

import { AgentDirectory, type ConnectedAgent } from "../src/ingest/agent-directory.ts";

class FakeConnection implements ConnectedAgent {
  readonly agentId = "a-1";
  readonly instance: string;
  readonly closed: string[] = [];
  readonly pings: ((answered: boolean) => void)[] = [];
  isClosed = false;

  constructor(instance: string) {
    this.instance = instance;
  }

  answersPing(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.pings.push(resolve);
    return promise;
  }

  close(_code: number, reason: string): void {
    this.isClosed = true;
    this.closed.push(reason);
  }
}

/** Lets everything that has been decided take effect. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the first connection of an agent is admitted", async () => {
  expect(await new AgentDirectory().admit(new FakeConnection("x"))).toBe(true);
});

test("the same instance replaces its old connection without a question", async () => {
  const directory = new AgentDirectory();
  const old = new FakeConnection("x");
  await directory.admit(old);
  expect(await directory.admit(new FakeConnection("x"))).toBe(true);
  expect(old.pings).toHaveLength(0);
  expect(old.isClosed).toBe(true);
});

test("another instance is refused and flagged while the old one answers", async () => {
  const directory = new AgentDirectory();
  const old = new FakeConnection("x");
  await directory.admit(old);
  const admission = directory.admit(new FakeConnection("y"));
  await settle();
  old.pings[0]?.(true);
  expect(await admission).toBe(false);
  expect(old.isClosed).toBe(false);
  expect(directory.presence().clones.has("a-1")).toBe(true);
});

test("of two newcomers that ask the same silent connection, one replaces the other in turn", async () => {
  const directory = new AgentDirectory();
  const old = new FakeConnection("x");
  const [first, second] = [new FakeConnection("y"), new FakeConnection("z")];
  await directory.admit(old);
  const admissions = [directory.admit(first), directory.admit(second)];
  await settle();
  old.pings[0]?.(false);
  await settle();
  expect(old.isClosed).toBe(true);
  // The second asks the first, which holds the id by now.
  expect(first.pings).toHaveLength(1);
  first.pings[0]?.(true);
  expect(await Promise.all(admissions)).toEqual([true, false]);
});

test("a newcomer that left while the old connection was asked holds nothing", async () => {
  const directory = new AgentDirectory();
  const old = new FakeConnection("x");
  const newcomer = new FakeConnection("y");
  await directory.admit(old);
  const admission = directory.admit(newcomer);
  await settle();
  newcomer.isClosed = true;
  directory.left(newcomer);
  old.pings[0]?.(false);
  expect(await admission).toBe(false);
  expect(await directory.admit(new FakeConnection("z"))).toBe(true);
});
