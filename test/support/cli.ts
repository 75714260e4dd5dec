import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/lizsync.js', import.meta.url));

export interface CliOptions {
  /** Added to an otherwise clean environment: no PG*, no LIZSYNC_*, an empty home folder. */
  env?: Record<string, string>;
  /** Text for standard input; without it, standard input is empty. */
  input?: string;
  /** Default: the empty home folder. */
  cwd?: string;
  /** Kills the process (as kill -9 does) as soon as its output, stdout or stderr, matches. */
  killAt?: RegExp;
  /** Milliseconds until the process is killed and the call fails. Default 55 seconds. */
  timeout?: number;
}

export interface CliResult {
  /** Exit code; null when a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** What stdout holds as JSON; undefined when it isn't one JSON value. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  json: any;
}

export interface RunningCli {
  /** Ends the process by a signal. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when stdout or stderr have matched; rejects when the process ends before. */
  seen(pattern: RegExp): Promise<void>;
  /** Resolves when the process has ended, whatever its exit code; rejects on the timeout. */
  finished: Promise<CliResult>;
}

/**
 * Runs the lizsync program as a user would and waits for its end; a failing exit code is a result, not an error.
 * @param args its arguments, such as `['sync', '--json']`
 * @throws {Error} with the output so far when it takes longer than the timeout
 */
export async function runLizsync(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const running = await startLizsync(args, options);
  return running.finished;
}

/** As runLizsync, but returns while the program runs. Await `finished`, or its temporary home folder stays. */
export async function startLizsync(args: string[], options: CliOptions = {}): Promise<RunningCli> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'lizsync-home-'));
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...options.env, HOME: options.env?.HOME ?? home },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const matches = (pattern: RegExp) => stdout.search(pattern) >= 0 || stderr.search(pattern) >= 0;
  const onOutput = () => {
    for (const watcher of watchers) {
      watcher();
    }
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onOutput();
  });
  if (options.killAt) {
    const pattern = options.killAt;
    watchers.add(() => {
      if (matches(pattern)) {
        child.kill('SIGKILL');
      }
    });
  }
  // The program may end without having read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  const finished = new Promise<CliResult>((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeout ?? 55_000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      rm(home, { recursive: true, force: true }).then(() => {
        if (timedOut) {
          reject(new Error(`lizsync ${args[0]} took too long.\nstdout:\n${stdout}\nstderr:\n${stderr}`));
        } else {
          resolve({ code, signal, stdout, stderr, json: parseJson(stdout) });
        }
      }, reject);
    });
  });
  // Whoever awaits it sees the failure; without this, a test that fails before would end the worker.
  finished.catch(() => {});

  return {
    finished,
    kill: (signal) => {
      child.kill(signal);
    },
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          if (matches(pattern)) {
            watchers.delete(watcher);
            resolve();
          }
        };
        watchers.add(watcher);
        watcher();
        finished.then(
          () => reject(new Error(`lizsync ended without ${pattern}.\nstdout:\n${stdout}\nstderr:\n${stderr}`)),
          reject,
        );
      }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
