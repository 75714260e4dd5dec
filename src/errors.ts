/** Exit codes of the program, as users and cron see them. */
export const exitCodes = { done: 0, failed: 1, usage: 2, needsAPerson: 3, alreadyRunning: 4 } as const;

export type FailureExitCode = typeof exitCodes.failed | typeof exitCodes.usage | typeof exitCodes.alreadyRunning;

export interface LizsyncErrorOptions {
  /** What the reader can do about it, a sentence or a command. */
  hint?: string | undefined;
  /** Further facts, one a line: table names, server messages. */
  details?: string[] | undefined;
  /** How the program ends when nobody handles the error; 1 when absent. */
  exitCode?: FailureExitCode;
  cause?: unknown;
}

/**
 * An error that the program expects: its message says what is wrong, its hint what to do.
 * It never holds a password or a connection string with one.
 */
export class LizsyncError extends Error {
  override readonly name: string = 'LizsyncError';
  readonly hint: string | undefined;
  readonly details: string[];
  readonly exitCode: FailureExitCode;

  constructor(message: string, options: LizsyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.details = options.details ?? [];
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** The command line or a configuration file is wrong. */
export class UsageError extends LizsyncError {
  override readonly name = 'UsageError';

  constructor(message: string, options: Omit<LizsyncErrorOptions, 'exitCode'> = {}) {
    super(message, { ...options, exitCode: exitCodes.usage });
  }
}
