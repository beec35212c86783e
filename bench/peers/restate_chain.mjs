// Restate, one server of its own on loopback: the chain workload.
//
// A run is 10 steps (`ctx.run`); each takes a 1 KiB JSON value and returns it with its counter one
// higher, and is in Restate's log before the next one starts. A final counter that is not 10 is an
// error. Run from the folder whose node_modules holds the packages.

import { spawn } from "node:child_process";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { createRequire } from "node:module";
import net from "node:net";
import { parseArgs } from "node:util";

// The SDK wants Node 22's Promise.withResolvers; Node 20 does not have it.
Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const require = createRequire(`${process.cwd()}/`);
const SERVER = "@restatedev/restate-server-linux-x64";
const VERSION = require(`${SERVER}/package.json`).version;
process.env.RESTATE_LOGGING ??= "WARN";
const restate = require("@restatedev/restate-sdk");

const STEPS = 10;
const VALUE_BYTES = 1024;
const WARM_UP_RUNS = 20;
const READY_WITHIN_MS = 60_000;

const { values: args } = parseArgs({
  options: {
    dir: { type: "string" },
    "in-flight": { type: "string", default: "1,16,128" },
    seconds: { type: "string", default: "5" },
    "max-runs": { type: "string", default: "20000" },
  },
});

function newValue() {
  const value = { counter: 0, text: "" };
  value.text = "x".repeat(VALUE_BYTES - JSON.stringify(value).length);
  return value;
}

const chain = restate.service({
  name: "chain",
  handlers: {
    run: async (ctx, value) => {
      for (let i = 0; i < STEPS; i++) {
        const now = value;
        value = await ctx.run("step", () => ({ counter: now.counter + 1, text: now.text }));
      }
      return value;
    },
  },
});

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

function call(port, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const options = { host: "127.0.0.1", port, method, path, headers, agent };
    const request = http.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () =>
        response.statusCode < 300
          ? resolve(text && JSON.parse(text))
          : reject(new Error(`${path}: ${response.statusCode} ${text}`)),
      );
    });
    request.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function eventually(what, action) {
  const until = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() > until) throw new Error(`${what}: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function startServer(folder) {
  const [node, admin, ingress] = [await freePort(), await freePort(), await freePort()];
  const config = `
disable-telemetry = true
listen-mode = "tcp"
node-name = "bench"
base-dir = "${folder}/data"
bind-address = "127.0.0.1:${node}"
advertised-address = "http://127.0.0.1:${node}"
log-filter = "error"
[admin]
bind-address = "127.0.0.1:${admin}"
disable-web-ui = true
[ingress]
bind-address = "127.0.0.1:${ingress}"
`;
  writeFileSync(`${folder}/restate.toml`, config);
  const log = openSync(`${folder}/restate.log`, "w");
  const program = require.resolve(`${SERVER}/bin/restate-server`);
  const child = spawn(program, ["--config-file", `${folder}/restate.toml`, "--no-logo"], {
    stdio: ["ignore", log, log],
    env: { ...process.env, DO_NOT_TRACK: "1" },
  });
  const gone = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`restate-server ended with ${code}`)));
  });
  gone.catch(() => {});
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      child.kill("SIGKILL");
      process.exit(1);
    });
  await Promise.race([gone, eventually("restate-server", () => call(admin, "GET", "/health"))]);
  return { child, admin, ingress };
}

async function cell(ingress, inFlight) {
  const run = async () => {
    const value = await call(ingress, "POST", "/chain/run", newValue());
    if (value.counter !== STEPS || value.text.length < VALUE_BYTES - 64)
      throw new Error(`wrong result: the counter is ${value.counter}, it must be ${STEPS}`);
  };
  for (let i = 0; i < WARM_UP_RUNS; i++) await run();
  let done = 0;
  let started = 0;
  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  const lane = async () => {
    while (seconds() < Number(args.seconds) && started < Number(args["max-runs"])) {
      started += 1;
      await run();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { runs: done, seconds: seconds() };
}

mkdirSync(args.dir, { recursive: true });
const endpoint = restate.createEndpointHandler({ services: [chain] });
const service = http2.createServer(endpoint);
await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
const server = await startServer(args.dir);
try {
  const uri = `http://127.0.0.1:${service.address().port}`;
  await eventually("registering", () => call(server.admin, "POST", "/deployments", { uri }));
  for (const inFlight of args["in-flight"].split(",").map(Number)) {
    const { runs, seconds } = await cell(server.ingress, inFlight);
    const steps = runs * STEPS;
    const line = {
      peer: "restate",
      version: VERSION,
      db: "own",
      in_flight: inFlight,
      runs,
      steps,
      seconds: Number(seconds.toFixed(3)),
      steps_per_s: Number((steps / seconds).toFixed(1)),
      durability: "1 node, RocksDB WAL fsync, replication 1",
    };
    console.log(JSON.stringify(line));
  }
} finally {
  const ended = new Promise((resolve) => server.child.once("exit", resolve));
  server.child.kill("SIGKILL");
  await ended;
}
process.exit(0);
