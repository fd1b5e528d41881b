import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AgentEffect } from "../src/agent-effect.ts";
import { AgentSession } from "../src/agent-session.ts";
import type { AgentMessage, OpenStream } from "../src/control.ts";
import { decodeAgentMessage, decodeCollectorMessage } from "../src/control-codec.ts";
import { decodeMessage } from "../src/frame-decode.ts";

/** What agent and collector of a released version said to each other. These files are never edited. */
const FOLDER = new URL("../golden/transcripts/", import.meta.url);

interface Transcript {
  readonly messages: readonly {
    readonly from: "agent" | "collector";
    readonly text?: string;
    readonly hex?: string;
  }[];
}

/** This version's agent, led through what the recorded one did. */
class Replay {
  readonly session: AgentSession;
  readonly sent: AgentMessage[] = [];
  readonly rewinds = new Map<number, Extract<AgentEffect, { kind: "rewind" }>>();
  readonly ackedSeq = new Map<number, number>();

  constructor(hello: Extract<AgentMessage, { type: "hello" }>) {
    const { type: _, protocol: __, clockUs, ...identity } = hello;
    this.session = new AgentSession(identity);
    this.take(this.session.connected(clockUs));
  }

  take(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "send") this.sent.push(effect.message);
      if (effect.kind === "rewind") this.rewinds.set(effect.key, effect);
      if (effect.kind === "acked") this.ackedSeq.set(effect.key, effect.nextSeq);
    }
  }

  offer({ stream, source, generation, initialCursor, labels }: OpenStream): void {
    const offer = { key: stream, source, generation, initialCursor: () => initialCursor, labels };
    this.take(this.session.offer(offer));
  }
}

test.each(readdirSync(FOLDER))("this agent does with a collector of %s as its own did", (name) => {
  const { messages } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Transcript;
  let replay: Replay | undefined;
  let frames = 0;
  for (const { from, text, hex } of messages) {
    if (from === "collector") {
      const message = decodeCollectorMessage(text ?? "");
      if (!message.ok) throw new Error(message.error.detail);
      replay?.take(replay.session.receive(message.value));
    } else if (text !== undefined) {
      const message = decodeAgentMessage(text);
      if (!message.ok) throw new Error(message.error.detail);
      if (message.value.type === "hello") replay = new Replay(message.value);
      if (message.value.type === "open") {
        for (const stream of message.value.streams) replay?.offer(stream);
      }
      // Reports tell of clocks.
      if (message.value.type !== "report") expect(replay?.sent).toContainEqual(message.value);
    } else {
      const decoded = decodeMessage(Buffer.from(hex ?? "", "hex"));
      for (const frame of decoded.ok ? decoded.value : []) {
        const { stream, epoch, ordinal, firstSeq, count, cursor } = frame;
        const draft = { count, creditBytes: 1, bodyBytes: 1, cursor, isFinal: false };
        const place = replay?.session.place(
          stream,
          replay.rewinds.get(stream)?.epoch ?? -1,
          draft,
          0,
        );
        expect(place).toMatchObject({ stream, epoch, ordinal, firstSeq });
        frames += 1;
      }
    }
  }
  expect(frames).toBeGreaterThan(0);
  expect(replay?.session.isQuiet).toBe(true); // All of it was acknowledged.
});
