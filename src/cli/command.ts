import { type Command, Option } from 'commander';
import type { Environment } from '../db/connection-settings.js';
import type { exitCodes } from '../errors.js';
import { type Configuration, readConfiguration } from './configuration.js';
import type { Terminal, TerminalMode } from './terminal.js';

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What every command works with. */
export interface CommandContext {
  terminal: Terminal;
  environment: Environment;
  configuration: Configuration;
  /** Aborted when the user interrupts the program. */
  signal: AbortSignal;
}

/** The work of a command: its options and arguments in, the exit code out. Errors are for the one error edge in main. */
export type CommandWork<Options> = (
  context: CommandContext,
  options: Options,
  ...commandArguments: string[]
) => Promise<ExitCode>;

/** Options that every command has. */
export interface GlobalOptions extends Partial<TerminalMode> {
  config?: string;
}

/** Value of an option that may be given without a value; true: "take it from the environment or the configuration". */
export type ConnectionOption = string | true | undefined;

/** Turns the work of a command into an action for commander. */
export type CommandRunner = <Options>(
  work: CommandWork<Options>,
) => (this: Command, ...commandArguments: unknown[]) => Promise<void>;

/**
 * Makes the runner that all commands share: it reads the global options and the configuration file, does the work and
 * reports its exit code.
 */
export function createRunner(
  terminal: Terminal,
  environment: Environment,
  signal: AbortSignal,
  onExitCode: (exitCode: ExitCode) => void,
): CommandRunner {
  return <Options>(work: CommandWork<Options>) =>
    async function action(this: Command, ...commandArguments: unknown[]): Promise<void> {
      const options = this.optsWithGlobals<GlobalOptions>();
      terminal.setMode({
        json: options.json ?? false,
        quiet: options.quiet ?? false,
        verbose: options.verbose ?? false,
      });
      const configuration = readConfiguration(options.config, environment);
      if (configuration.file !== undefined) terminal.explain(`configuration: ${configuration.file}`);
      // commander passes the arguments first, then the options and the command
      const values = commandArguments.slice(0, this.registeredArguments.length) as string[];
      onExitCode(await work({ terminal, environment, configuration, signal }, options as Options, ...values));
    };
}

/** The option --central, the same for all commands that need the central. */
export function centralOption(): Option {
  return new Option(
    '--central [connection]',
    'the central: URI, key=value text, service=NAME or database name; without a value LIZSYNC_CENTRAL, then lizsync.toml',
  );
}

/** The option --clone, the same for all commands that need a clone. */
export function cloneOption(): Option {
  return new Option(
    '--clone [connection]',
    'the clone, written as for --central; without a value LIZSYNC_CLONE, then lizsync.toml',
  );
}

/** The option --schemas, with the description of what the command does with them. */
export function schemasOption(description: string): Option {
  return new Option('--schemas <names>', description).argParser(appendText);
}

/** The option --tables, with the description of what the command does with them. */
export function tablesOption(description: string): Option {
  return new Option('--tables <names>', description).argParser(appendText);
}

/** Collects the values of an option that may be given more than once. */
export function appendText(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** Formats the examples at the end of the help of a command. */
export function describeExamples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
