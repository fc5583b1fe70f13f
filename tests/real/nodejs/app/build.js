// The step that a bundler would be: takes the title from a hidden file of the source.
const { readFileSync, writeFileSync } = require("fs");

const title = readFileSync(".config/title", "utf8").trim();
writeFileSync("page.js", `exports.title = ${JSON.stringify(title)};\n`);
