// Serve until a signal comes, then finish the requests under way.
import { serverOf } from "./clock.js";

const server = serverOf(process.env.VERSION || "dev");
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => server.close());
}
server.listen(8080, () => console.log("listens at port 8080"));
