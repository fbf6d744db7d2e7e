// The page: draws what the API says, and says what went wrong.
import * as api from "./api.js";
import { dueLabel, grouped, isoDate, summary } from "./tasks.js";

const UNDO_FOR = 8_000;
const $ = (selector, root = document) => root.querySelector(selector);
const form = $("#add");
let undoTimer;

/** Do something that may fail; on failure say so, and offer to try again. */
async function attempt(action) {
  try {
    await action();
    $("#problem").hidden = true;
    return true;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    $("#problem p").textContent = error.message;
    $("#problem button").onclick = () => Promise.all([attempt(action), showVersions()]);
    $("#problem").hidden = false;
    return false;
  } finally {
    $("#loading").hidden = true;
  }
}

async function refresh() {
  const { tasks, total } = await api.list();
  const today = isoDate(new Date());
  const { open, done } = grouped(tasks);
  fill($("#open"), open, today);
  fill($("#done"), done, today);
  $("#empty").hidden = tasks.length > 0;
  $("#summary").textContent = summary(tasks, total, today);
}

function fill(section, tasks, today) {
  section.hidden = tasks.length === 0;
  $("ul", section).replaceChildren(...tasks.map((task) => row(task, today)));
}

function row(task, today) {
  const item = $("#task").content.cloneNode(true).firstElementChild;
  const [tick, name, due, bin] = ["input", ".name", "time", ".delete"].map((selector) => $(selector, item));
  item.dataset.id = task.id;
  tick.checked = task.done;
  tick.ariaLabel = `Done: ${task.title}`;
  tick.onchange = async () => {
    if (!(await saved(() => api.change(task.id, { done: tick.checked })))) tick.checked = task.done;
    $(`li[data-id="${task.id}"] input`)?.focus();
  };
  name.textContent = task.title;
  name.title = "Rename";
  name.onclick = () => rename(task, name);
  if (task.due) {
    const label = dueLabel(task.due, today);
    due.textContent = label.text;
    due.dateTime = task.due;
    if (!task.done) due.className = label.urgency;
  } else {
    due.remove();
  }
  bin.ariaLabel = `Delete: ${task.title}`;
  bin.onclick = () => remove(task);
  return item;
}

/** Change something, then show the truth. */
function saved(change) {
  return attempt(async () => {
    await change();
    await refresh();
  });
}

function rename(task, name) {
  const input = document.createElement("input");
  Object.assign(input, { className: "edit", value: task.title, maxLength: 200, ariaLabel: "New name" });
  let open = true;
  const close = async (keep) => {
    if (!open) return;
    open = false;
    const title = input.value.trim();
    input.replaceWith(name);
    if (keep && title && title !== task.title) await saved(() => api.change(task.id, { title }));
    $(`li[data-id="${task.id}"] .name`)?.focus();
  };
  input.onblur = () => close(true);
  input.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") close(true);
    if (event.key === "Escape") close(false);
  };
  name.replaceWith(input);
  input.select();
}

async function remove(task) {
  let undo;
  const gone = await saved(async () => {
    if (!undo) ({ undo } = await api.remove(task.id));
  });
  if (!gone) return;
  $("#toast span").textContent = `Deleted “${task.title}”`;
  $("#toast button").onclick = () => {
    $("#toast").hidden = true;
    saved(() => api.restore(undo));
  };
  $("#toast").hidden = false;
  clearTimeout(undoTimer);
  undoTimer = setTimeout(() => ($("#toast").hidden = true), UNDO_FOR);
  form.elements.title.focus();
}

async function showVersions() {
  $("#page-version").textContent = $('meta[name="planera-version"]').content;
  $("#api-version").textContent = await api.version().catch(() => "not reachable");
}

form.onsubmit = async (event) => {
  event.preventDefault();
  const button = $("button", form);
  button.disabled = true;
  const { title, due } = form.elements;
  let added = false;
  await saved(async () => {
    // "Try again" after a failed refresh must not add the task twice.
    if (!added) await api.add(title.value, due.value);
    if (!added) form.reset();
    added = true;
  });
  button.disabled = false;
  title.focus();
};

// What others did meanwhile shows when the person comes back, unless a name is being edited.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !$(".edit")) attempt(refresh);
});

// One after the other: the answer to the first chooses the API that answers the rest, also while two versions run.
showVersions().then(() => attempt(refresh));
