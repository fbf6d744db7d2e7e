// What the time is in a zone, and the HTTP answers that say so.
import { createServer } from "node:http";

const LONGEST = 64;

/** Return the time of a moment in a zone, or nothing where there is no such zone. */
export function timeIn(zone, moment) {
  if (zone.length > LONGEST) return undefined;
  try {
    // Swedish dates are ISO dates.
    return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(moment);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Return status and body of the answer to a request. */
export function answer(method, target, moment, version) {
  const url = URL.parse(target, "http://clock");
  if (url === null) return [400, { error: "this is no address" }];
  if (method !== "GET" && method !== "HEAD") return [405, { error: "ask with GET" }];
  switch (url.pathname) {
    case "/health":
      return [200, { status: "ok", version }];
    case "/": {
      const zone = url.searchParams.get("zone") || "UTC";
      const time = timeIn(zone, moment);
      return time ? [200, { zone, time }] : [400, { error: "no such zone: name one as Europe/Berlin" }];
    }
    default:
      return [404, { error: "there is / and /health" }];
  }
}

/** Return a server that is not listening yet. */
export function serverOf(version) {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.method, request.url, new Date(), version);
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(body) + "\n");
  });
  // Longer than proxies keep a connection that is not used (Traefik: 90 s): one that ends first cannot lose a request.
  server.keepAliveTimeout = 120_000;
  return server;
}
