// Bundles src/ into dist/. Names carry a digest of their content, and so does the version: equal sources, equal output.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

async function bundle(entry, extension) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const text = result.outputFiles[0].text;
  const path = `/assets/${hash(text)}.${extension}`;
  await writeFile(`dist${path}`, text);
  return { text, path };
}

await rm("dist", { recursive: true, force: true });
await mkdir("dist/assets", { recursive: true });
const script = await bundle("src/main.js", "js");
const style = await bundle("src/style.css", "css");
const page = await readFile("src/index.html", "utf8");
const icon = await readFile("src/icon.svg", "utf8");
const version = hash(page + script.text + style.text + icon);

await writeFile("dist/icon.svg", icon);
await writeFile(
  "dist/index.html",
  page.replace("/main.js", script.path).replace("/style.css", style.path).replace('content="dev"', `content="${version}"`),
);
await writeFile("dist/version.json", `${JSON.stringify({ name: "planera-frontend", version })}\n`);
console.log(`built planera-frontend ${version}`);
