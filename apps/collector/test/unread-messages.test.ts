import { LIMITS } from "@sluice/protocol";
import { expect, test } from "vitest";

import { UnreadMessages } from "../src/ingest/unread-messages.ts";

test("one agent may leave so many bytes unread, and no more", () => {
  const unread = new UnreadMessages();
  expect(unread.hasRoom(1, LIMITS.unreadPerAgentBytes - 1)).toBe(true);
  expect(unread.hasRoom(1, LIMITS.unreadPerAgentBytes)).toBe(false);
});

test("where all together have left too much, who reads is served and who does not is let go", () => {
  const unread = new UnreadMessages();
  const taken = unread.sending(LIMITS.unreadTotalBytes);
  expect(unread.hasRoom(100, 0)).toBe(true);
  expect(unread.hasRoom(100, 2 ** 21)).toBe(false);
  taken();
  expect(unread.hasRoom(100, 2 ** 21)).toBe(true);
});
