import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import * as api from "../src/api.js";

const real = globalThis.fetch;
afterEach(() => (globalThis.fetch = real));

/** Answer the next requests with `status` and `body`, and keep what was asked. */
function answering(status, body) {
  const asked = [];
  globalThis.fetch = async (url, options) => {
    asked.push([options.method, url, options.body]);
    return new Response(body, { status });
  };
  return asked;
}

test("a task is sent as JSON, without a date as null", async () => {
  const asked = answering(201, '{"id": 1}');
  assert.deepEqual(await api.add("Water", ""), { id: 1 });
  assert.deepEqual(asked, [["POST", "/api/tasks", '{"title":"Water","due":null}']]);
});

for (const [status, body, message] of [
  [422, '{"error": "title is required"}', "Title is required."],
  [404, "<html>", "Planera has a problem (404)."],
  [200, "<html>", "Planera has a problem (200)."],
  [503, '{"error": "no connection"}', "Planera has a problem (503: no connection)."],
  [502, "Bad Gateway", "Planera has a problem (502)."],
]) {
  test(`${status} ${body} becomes a sentence`, async () => {
    answering(status, body);
    await assert.rejects(api.list(), { constructor: api.ApiError, message });
  });
}

test("no network becomes a sentence", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));
  await assert.rejects(api.list(), { message: "Planera cannot be reached." });
});

test("no answer in time becomes a sentence", async () => {
  globalThis.fetch = () => Promise.reject(new DOMException("late", "TimeoutError"));
  await assert.rejects(api.list(), { message: "Planera took too long to answer." });
});
