import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { answer, serverOf, timeIn } from "./clock.js";

const NOON = new Date("2026-07-01T12:00:00Z");

test("a zone has its own time, daylight saving included", () => {
  assert.equal(timeIn("Europe/Berlin", NOON), "2026-07-01 14:00:00");
  assert.equal(timeIn("UTC", NOON), "2026-07-01 12:00:00");
});

test("what is no zone is refused", () => {
  assert.equal(answer("GET", "/?zone=Mars/Base", NOON)[0], 400);
  assert.equal(answer("GET", `/?zone=${"x".repeat(10_000)}`, NOON)[0], 400);
});

test("only what is there can be asked, and only by GET", () => {
  assert.equal(answer("GET", "/nowhere", NOON)[0], 404);
  assert.equal(answer("POST", "/", NOON)[0], 405);
  assert.equal(answer("GET", "http://[", NOON)[0], 400);
});

test("the server answers", async () => {
  const server = serverOf("a1b2c3d").listen(0);
  await once(server, "listening");
  const response = await fetch(`http://127.0.0.1:${server.address().port}/health`);
  assert.deepEqual(await response.json(), { status: "ok", version: "a1b2c3d" });
  server.close();
  server.closeAllConnections();
});
