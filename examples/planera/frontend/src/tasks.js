// What the page shows about tasks. Pure: no DOM, no network, no clock of its own.

/** Today in the person's own time zone, as the API writes dates. */
export function isoDate(now) {
  const part = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${part(now.getMonth() + 1)}-${part(now.getDate())}`;
}

/** How a due date reads from `today`, and how urgent it is. */
export function dueLabel(due, today, locale) {
  const days = Math.round((Date.parse(due) - Date.parse(today)) / 86_400_000);
  const urgency = days < 0 ? "late" : days === 0 ? "today" : "later";
  if (Math.abs(days) <= 1) return { text: ["Yesterday", "Today", "Tomorrow"][days + 1], urgency };
  const options = { day: "numeric", month: "short", timeZone: "UTC" };
  if (due.slice(0, 4) !== today.slice(0, 4)) options.year = "numeric";
  return { text: new Intl.DateTimeFormat(locale, options).format(Date.parse(due)), urgency };
}

/** Open tasks by due date, those without one last; done tasks, the newest first. */
export function grouped(tasks) {
  const due = (task) => task.due ?? "9999-99";
  const open = tasks.filter((task) => !task.done);
  const done = tasks.filter((task) => task.done);
  open.sort((a, b) => (due(a) < due(b) ? -1 : due(a) > due(b) ? 1 : a.id - b.id));
  done.sort((a, b) => b.id - a.id);
  return { open, done };
}

/** The list in one sentence. */
export function summary(tasks, total, today) {
  const open = tasks.filter((task) => !task.done);
  const late = open.filter((task) => task.due && task.due < today).length;
  if (total > tasks.length) return `the first ${tasks.length} of ${total} tasks`;
  if (tasks.length === 0) return "";
  if (open.length === 0) return "all done";
  return `${open.length} to do${late ? `, ${late} late` : ""}`;
}
