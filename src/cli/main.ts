import { homedir, userInfo } from 'node:os';
import { CommanderError } from 'commander';
import type { Environment } from '../db/connection-settings.js';
import { exitCodes, LizsyncError, UsageError } from '../errors.js';
import { createProgram } from './program.js';
import { chooseProgressDisplay } from './progress-display.js';
import { Terminal } from './terminal.js';

// what a shell reports for a program that a Ctrl-C ended
const interruptedExitCode = 130;
const interruptionGraceMilliseconds = 2000;

/**
 * Runs the program: `argv` as in process.argv. The only place where errors are shown and the exit code is set.
 */
export async function main(argv: string[]): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // the second one is impatience: don't wait for the work to end by itself
      if (interruption.signal.aborted) process.exit(interruptedExitCode);
      interruption.abort(new LizsyncError('interrupted'));
      // time to remove what was half written; what a server was doing it rolls back when the connection is gone
      setTimeout(() => process.exit(interruptedExitCode), interruptionGraceMilliseconds).unref();
    });
  }
  // a reader such as head that has seen enough is no error
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  // a wrong option must be reported in the right form too, and it is found before the options are known
  const asked = (option: string): boolean => argv.includes(option);
  const terminal = new Terminal(
    { json: asked('--json'), quiet: asked('--quiet'), verbose: asked('--verbose') },
    await chooseProgressDisplay(process.stderr),
  );
  try {
    const program = createProgram(terminal, readEnvironment(), interruption.signal, (exitCode) => {
      process.exitCode = exitCode;
    });
    await program.parseAsync(argv);
  } catch (error) {
    if (interruption.signal.aborted) {
      terminal.showError(interruption.signal.reason);
      process.exitCode = interruptedExitCode;
    } else if (error instanceof CommanderError && error.exitCode === 0) {
      process.exitCode = exitCodes.done;
    } else {
      const shown = error instanceof CommanderError ? describeUsageError(error) : error;
      terminal.showError(shown);
      process.exitCode = shown instanceof LizsyncError ? shown.exitCode : exitCodes.failed;
    }
  }
}

function describeUsageError(error: CommanderError): UsageError {
  if (error.code === 'commander.help')
    return new UsageError('no command given', { hint: 'lizsync --help lists the commands' });
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  // a mistyped option is quoted with its value, and that may be a connection with a password
  const message = first.replace(/(=|:\/\/)[^']*'/, "$1...'");
  const suggestion = rest.find((line) => line.startsWith('(Did you mean'));
  return new UsageError(message, {
    hint: suggestion?.slice(1, -1) ?? 'lizsync --help and lizsync COMMAND --help show what can be given',
  });
}

function readEnvironment(): Environment {
  return { variables: process.env, homeDirectory: homedir() || undefined, userName: findUserName() };
}

function findUserName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // a user id without an entry in the list of users, as in containers
    return undefined;
  }
}
