// Bundles src/ into dist/. Names carry a digest of their content, and so does the version: equal sources, equal output.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Write an asset under a name that no other content has. */
async function asset(text, extension) {
  const path = `/assets/${hash(text)}.${extension}`;
  await writeFile(`dist${path}`, text);
  return path;
}

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
  return { text, path: await asset(text, extension) };
}

await rm("dist", { recursive: true, force: true });
await mkdir("dist/assets", { recursive: true });
const script = await bundle("src/main.js", "js");
const style = await bundle("src/style.css", "css");
const page = await readFile("src/index.html", "utf8");
const icon = await readFile("src/icon.svg", "utf8");
const version = hash(page + script.text + style.text + icon);

// All that the page names is below /assets: the Ingress keeps these requests with the pod that gave the page.
const names = { "/main.js": script.path, "/style.css": style.path, "/icon.svg": await asset(icon, "svg") };
const named = Object.entries(names).reduce((text, [name, path]) => text.replaceAll(name, path), page);
await writeFile("dist/index.html", named.replace('content="dev"', `content="${version}"`));
await writeFile("dist/version.json", `${JSON.stringify({ name: "planera-frontend", version })}\n`);
console.log(`built planera-frontend ${version}`);
