// The API, on the page's own origin. Every failure becomes an ApiError whose message a person can read.

const PATIENCE = 10_000;

export class ApiError extends Error {}

async function request(method, path, body) {
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new ApiError(late ? "Planera took too long to answer." : "Planera cannot be reached.", { cause: error });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  if (response.status < 500 && answer?.error) throw new ApiError(`${capital(answer.error)}.`);
  throw new ApiError(`Planera has a problem (${response.status}${answer?.error ? `: ${answer.error}` : ""}).`);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

export const version = async () => (await request("GET", "/version")).version;
export const list = () => request("GET", "/tasks");
export const add = (title, due) => request("POST", "/tasks", { title, due: due || null });
export const change = (id, fields) => request("PATCH", `/tasks/${id}`, fields);
export const remove = (id) => request("DELETE", `/tasks/${id}`);
export const restore = (undo) => request("POST", "/tasks/restore", { undo });
