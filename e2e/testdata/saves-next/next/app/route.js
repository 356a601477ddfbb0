// Answers with the names and values of the modules in parts/.
export const dynamic = "force-dynamic";

export function GET() {
  const parts = require.context("../parts", false, /\.js$/);
  const lines = parts.keys().map((file) => `${file.slice(2, -3)}=${parts(file).default}\n`);
  return new Response(lines.sort().join(""));
}
