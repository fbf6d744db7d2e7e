const [form, status, table] = ["form", "[role=status]", "table"].map((name) => document.querySelector(name));

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  table.hidden = true;
  status.textContent = "waits for the worker …";
  try {
    const body = JSON.stringify({ text: form.elements.text.value });
    let text = await ask("/api/texts", { method: "POST", body });
    while (text.state === "waits") text = await ask(`/api/texts/${text.id}?wait`);
    status.textContent = `${text.total} words`;
    const rows = text.common.map((pair) => {
      const row = document.createElement("tr");
      for (const value of pair) row.insertCell().textContent = value;
      return row;
    });
    table.tBodies[0].replaceChildren(...rows);
    table.hidden = rows.length === 0;
  } catch (error) {
    status.textContent = error.message;
  }
});
