// Serves one page, made with a dependency, a file of the build step and a variable of the build.
const { appendFileSync } = require("fs");
const { createServer } = require("http");
const { greet } = require("harbour");
const { title } = require("./page.js");

createServer((request, response) => {
  // Written beside the source, as applications do, by whoever the container runs as.
  appendFileSync("visits", "visit\n");
  response.end(`${title}: ${greet(process.env.WHOM ?? "nobody")}, uid ${process.getuid()}\n`);
}).listen(8080);

// Process 1 is ended by signals only that it asks for.
process.on("SIGTERM", () => process.exit(0));
