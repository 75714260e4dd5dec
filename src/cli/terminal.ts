import chalk, { chalkStderr } from 'chalk';
import type { ProgressCallback } from '../core/progress.js';
import { DatabaseError } from '../db/postgres-error.js';
import { LizsyncError } from '../errors.js';
import type { ProgressDisplay } from './progress-display.js';
import { toSnakeCaseKeys } from './snake-case.js';

export interface TerminalMode {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
}

/** What people and scripts see of a command: results on stdout, progress and errors on stderr. */
export class Terminal {
  #mode: TerminalMode;
  readonly #createDisplay: () => ProgressDisplay;
  #display: ProgressDisplay | undefined;

  /** `createDisplay` makes what shows the progress of one command on stderr. */
  constructor(mode: TerminalMode, createDisplay: () => ProgressDisplay) {
    this.#mode = mode;
    this.#createDisplay = createDisplay;
  }

  setMode(mode: TerminalMode): void {
    this.#mode = mode;
  }

  /** Whether results are for programs. */
  get isJson(): boolean {
    return this.#mode.json;
  }

  /** Shows progress of the core: a spinner in a terminal, plain lines elsewhere, nothing with --quiet. */
  readonly onProgress: ProgressCallback = (event) => {
    if (event.kind === 'warning') {
      this.warn(event.text, event.hint);
    } else if (!this.#mode.quiet) {
      this.#display ??= this.#createDisplay();
      this.#display.show(event);
    }
  };

  /** Ends the progress display; the next line printed stands alone. */
  endProgress(succeeded: boolean): void {
    this.#display?.end(succeeded);
    this.#display = undefined;
  }

  /**
   * Shows the result of a command: with --json `result` as one object with snake_case keys, else `lines` for people
   * (not with --quiet).
   */
  showResult(result: object, lines: string[]): void {
    this.endProgress(true);
    if (this.#mode.json) {
      process.stdout.write(`${JSON.stringify(toSnakeCaseKeys(result))}\n`);
    } else if (!this.#mode.quiet) {
      for (const line of lines) process.stdout.write(`${line}\n`);
    }
  }

  /** Says on stderr what needs a person or should be known, and what to do about it; also with --quiet. */
  warn(text: string, hint?: string): void {
    this.#display?.pause();
    process.stderr.write(`${chalkStderr.yellow('warning:')} ${text}\n`);
    if (hint !== undefined) process.stderr.write(`${chalkStderr.cyan('hint:')} ${hint}\n`);
  }

  /** Says on stderr, with --verbose only, how the command came to do what it does. */
  explain(text: string): void {
    if (!this.#mode.verbose) return;
    this.#display?.pause();
    process.stderr.write(`${chalkStderr.dim(text)}\n`);
  }

  /** Shows the help to somebody who did not ask for it, on stderr; not to a program. */
  showHelp(text: string): void {
    if (!this.#mode.json) process.stderr.write(text);
  }

  /**
   * Shows why a command failed: message, details, hint on stderr; with --json one object with the key `error` on stdout.
   * An error that the program did not expect is shown with its stack.
   */
  showError(error: unknown): void {
    this.endProgress(false);
    const expected = error instanceof LizsyncError;
    const message = error instanceof Error ? error.message : String(error);
    const hint = expected ? error.hint : undefined;
    const details = expected ? error.details : [];
    const sqlstate = findSqlstate(error);
    if (this.#mode.json) {
      const failure = { message, hint: hint ?? null, details, ...(sqlstate === undefined ? {} : { sqlstate }) };
      process.stdout.write(`${JSON.stringify({ error: failure })}\n`);
      return;
    }
    process.stderr.write(`${chalkStderr.red('error:')} ${message}\n`);
    for (const detail of details) process.stderr.write(`  ${detail}\n`);
    if (hint !== undefined) process.stderr.write(`${chalkStderr.cyan('hint:')} ${hint}\n`);
    if (error instanceof Error && (!expected || this.#mode.verbose)) {
      process.stderr.write(`${chalkStderr.dim(formatStack(error))}\n`);
    }
  }
}

/** Marks a word of a result for the eye: good, needs attention, bad. */
export const mark = {
  good: (text: string): string => chalk.green(text),
  attention: (text: string): string => chalk.yellow(text),
  bad: (text: string): string => chalk.red(text),
};

function formatStack(error: Error): string {
  const stack = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return stack.join('\n');
}

function findSqlstate(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof DatabaseError && current.sqlstate !== undefined) return current.sqlstate;
  }
  return undefined;
}
