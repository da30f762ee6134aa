// A real server, from this project's tree, which a test may kill and start again.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, OmenDBError } from "omendb";

const LAUNCHER = fileURLToPath(new URL("../../../../omendb", import.meta.url));

export class Server {
  #directory = mkdtempSync(join(tmpdir(), "omendb-node-"));
  #process;
  #ended;

  /** A server that serves. */
  static async start() {
    const server = new Server();
    server.target = `127.0.0.1:${await freePort()}`;
    process.on("exit", () => server.#kill());
    await server.start();
    return server;
  }

  async start() {
    const log = openSync(this.#log, "a");
    const options = ["serve", "--data", join(this.#directory, "data"), "--listen", this.target];
    // A group of its own, so that the launcher's children are killed with it.
    this.#process = spawn(LAUNCHER, options, { detached: true, stdio: ["ignore", "ignore", log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => this.#process.once("exit", resolve));
    const db = connect(this.target);
    try {
      await until(async () => {
        if (this.#process.exitCode !== null) {
          throw new Error(readFileSync(this.#log, "utf8"));
        }
        return db.stats({ timeout: 1 }).catch((error) => {
          if (!(error instanceof OmenDBError)) {
            throw error;
          }
        });
      });
    } finally {
      db.close();
    }
  }

  /** As a power cut would, but for what the device has not. */
  async kill() {
    this.#kill();
    await this.#ended;
  }

  /** Lets it not answer, with its connections open. */
  suspend() {
    process.kill(-this.#process.pid, "SIGSTOP");
  }

  resume() {
    process.kill(-this.#process.pid, "SIGCONT");
  }

  async stop() {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  get #log() {
    return join(this.#directory, "server.log");
  }

  #kill() {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) {
      process.kill(-this.#process.pid, "SIGKILL");
    }
  }
}

/** Asks until the answer is truthy, for at most two minutes. */
export async function until(question) {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const answer = await question();
    if (answer) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error("not within two minutes");
    }
    await new Promise(setImmediate);
  }
}

/** Vectors of components from -1 to 1, always the same ones. */
export function vectorsOf(count, dimension, seed = 7) {
  let state = seed;
  return Float32Array.from({ length: count * dimension }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** 0 to count - 1. */
export function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
