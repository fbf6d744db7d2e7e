import assert from "node:assert/strict";
import { test } from "node:test";
import { dueLabel, grouped, isoDate, summary } from "../src/tasks.js";

const TODAY = "2026-11-23";
const task = (id, due = null, done = false) => ({ id, due, done, title: `task ${id}` });

test("today is the person's day, not that of Greenwich", () => {
  assert.equal(isoDate(new Date(2026, 0, 5, 0, 30)), "2026-01-05");
  assert.equal(isoDate(new Date(2026, 0, 5, 23, 30)), "2026-01-05");
});

for (const [due, text, urgency] of [
  ["2026-11-01", "1 Nov", "late"],
  ["2026-11-22", "Yesterday", "late"],
  ["2026-11-23", "Today", "today"],
  ["2026-11-24", "Tomorrow", "later"],
  ["2026-12-31", "31 Dec", "later"],
  ["2027-01-02", "2 Jan 2027", "later"],
]) {
  test(`${due} reads as ${text}`, () => {
    assert.deepEqual(dueLabel(due, TODAY, "en-GB"), { text, urgency });
  });
}

test("open tasks come by date, those without a date last; done ones newest first", () => {
  const tasks = [task(1), task(2, "2026-12-01"), task(3, "2026-11-01"), task(4, null, true), task(5, TODAY, true)];
  const { open, done } = grouped(tasks);
  assert.deepEqual(open.map((t) => t.id), [3, 2, 1]);
  assert.deepEqual(done.map((t) => t.id), [5, 4]);
});

for (const [tasks, total, text] of [
  [[], 0, ""],
  [[task(1, null, true)], 1, "all done"],
  [[task(1), task(2, "2026-12-01")], 2, "2 to do"],
  [[task(1), task(2, "2026-11-01"), task(3, "2026-11-01", true)], 3, "2 to do, 1 late"],
  [[task(1)], 501, "the first 1 of 501 tasks"],
]) {
  test(`the summary of ${tasks.length} of ${total} tasks is '${text}'`, () => {
    assert.equal(summary(tasks, total, TODAY), text);
  });
}
