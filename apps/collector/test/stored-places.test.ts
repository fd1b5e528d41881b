import { SEGMENT_BASE_BYTES } from "@sluice/store";
import { expect, test } from "vitest";

import { StoredPlaces } from "../src/retention/stored-places.ts";
import { batch, DAY_US, NOW_US, part, policy, stream } from "./fake-store.ts";

const STREAMS = [
  stream({ streamId: 1, host: "web-1" }),
  stream({ streamId: 2, host: "web-2" }),
  stream({ streamId: 3, host: "db-1" }),
];

/** Rules by host, and one by level. */
const POLICY = policy({
  rules: [
    { match: { host: "db-*" }, keep: "365d" },
    { match: { level: ">=error" }, keep: "90d" },
  ],
});

const INFO = 1 << 9;
const ERROR = 1 << 17;

function ids({ units }: StoredPlaces): string[] {
  return units.map(({ id }) => id);
}

test("each batch of the head is a unit", () => {
  const places = new StoredPlaces([batch(4, 1), batch(5, 1)], STREAMS, POLICY);
  expect(ids(places)).toEqual(["batch-4", "batch-5"]);
  expect(places.placesOf(["batch-5"])).toEqual({
    batchIds: [5],
    segmentIds: [],
    segmentParts: [],
  });
});

test("a segment whose streams belong to the same rules is one unit", () => {
  const parts = [
    part(7, 1, 3, { bytes: 100, records: 5 }),
    part(7, 2, 1, { bytes: 50, records: 2 }),
  ];
  const places = new StoredPlaces(parts, STREAMS, POLICY);
  expect(places.units).toMatchObject([
    {
      id: "segment-7",
      bytes: 150,
      records: 7,
      firstReceivedUs: NOW_US - 3 * DAY_US,
      lastReceivedUs: NOW_US - DAY_US,
    },
  ]);
  expect(places.placesOf(["segment-7"])).toEqual({
    batchIds: [],
    segmentIds: [7],
    segmentParts: [],
  });
});

test("a segment of before a change of policy is a unit for each set of rules", () => {
  const parts = [part(7, 1, 3), part(7, 2, 3), part(7, 3, 3)];
  const places = new StoredPlaces(parts, STREAMS, POLICY);
  expect(places.units).toMatchObject([
    { id: "segment-7-part-1", host: "web-1", records: 20 },
    { id: "segment-7-part-2", host: "db-1", records: 10 },
  ]);
  expect(places.placesOf(["segment-7-part-1"])).toEqual({
    batchIds: [],
    segmentIds: [],
    segmentParts: [{ segment: 7, streams: [1, 2] }],
  });
});

test("a segment all of whose units go, goes whole", () => {
  const places = new StoredPlaces([part(7, 1, 3), part(7, 3, 3), part(8, 1, 3)], STREAMS, POLICY);
  expect(places.placesOf(["segment-7-part-2", "segment-8", "segment-7-part-1"])).toEqual({
    batchIds: [],
    segmentIds: [7, 8],
    segmentParts: [],
  });
});

test("what a file takes by itself comes back with what is kept longest", () => {
  const size = { bytes: 4 * SEGMENT_BASE_BYTES };
  const parts = [part(7, 3, 3, size), part(7, 1, 3, size)];
  const { units } = new StoredPlaces(parts, STREAMS, POLICY);
  expect(units.map(({ host, bytes }) => [host, bytes / SEGMENT_BASE_BYTES])).toEqual([
    ["db-1", 4.5],
    ["web-1", 3.5],
  ]);
});

test("rules count only where a severity of theirs is there", () => {
  const quiet = [part(7, 1, 3, { severities: INFO }), part(7, 2, 3, { severities: INFO })];
  expect(ids(new StoredPlaces(quiet, STREAMS, POLICY))).toEqual(["segment-7"]);
  const mixed = [part(7, 1, 3, { severities: INFO | ERROR }), part(7, 2, 3, { severities: INFO })];
  expect(ids(new StoredPlaces(mixed, STREAMS, POLICY))).toHaveLength(2);
});

test("severities that are not known may be any", () => {
  const parts = [part(7, 1, 3, { severities: 0 }), part(7, 2, 3, { severities: INFO | ERROR })];
  expect(ids(new StoredPlaces(parts, STREAMS, POLICY))).toEqual(["segment-7"]);
});

test("records of a stream that is not known are not planned for", () => {
  expect(() => new StoredPlaces([part(7, 9, 3)], STREAMS, POLICY)).toThrow("stream 9");
});
