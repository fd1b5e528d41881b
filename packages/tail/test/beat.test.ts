import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Beat } from "../src/beat.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("whoever waits for a beat is woken with all others, a period after the first of them", () => {
  const beat = new Beat(100);
  const woken: string[] = [];
  beat.next(() => woken.push("first"));
  vi.advanceTimersByTime(60);
  beat.next(() => woken.push("second"));
  vi.advanceTimersByTime(39);
  expect(woken).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(woken).toEqual(["first", "second"]);
  vi.advanceTimersByTime(1_000);
  expect(woken).toHaveLength(2);
});

test("who waits again when woken is woken by the beat after it", () => {
  const beat = new Beat(100);
  let beats = 0;
  const wake = (): void => {
    beats += 1;
    beat.next(wake);
  };
  beat.next(wake);
  vi.advanceTimersByTime(1_000);
  expect(beats).toBe(10);
});

test("no timer is left when nobody waits any more", () => {
  const beat = new Beat(100);
  const wakes = [vi.fn(), vi.fn()] as const;
  wakes.forEach((wake) => beat.next(wake));
  beat.cancel(wakes[0]);
  expect(vi.getTimerCount()).toBe(1);
  beat.cancel(wakes[1]);
  expect(vi.getTimerCount()).toBe(0);
  expect(wakes[0]).not.toHaveBeenCalled();
});
