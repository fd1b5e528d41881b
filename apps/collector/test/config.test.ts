import { expect, test } from "vitest";

import { formatListen, parseListen } from "@sluice/service";

test.each(["127.0.0.1:7514", "[::1]:0", "[fe80::1]:65535", "logs.example:80"])(
  "the address %s is written as it is read",
  (text) => {
    const address = parseListen(text);
    expect(address && formatListen(address)).toBe(text);
  },
);
