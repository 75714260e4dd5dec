import { Command, Option } from 'commander';
import { toolVersion } from '../core/tool-version.js';
import type { Environment } from '../db/connection-settings.js';
import { type CommandRunner, createRunner, describeExamples, type ExitCode } from './command.js';
import { createCompareCommand } from './commands/compare.js';
import { createDeployCommand } from './commands/deploy.js';
import { createGrantCommand } from './commands/grant.js';
import { createHeldCommand } from './commands/held.js';
import { createInspectCommand } from './commands/inspect.js';
import { createInstallCommand } from './commands/install.js';
import { createPackageCommand } from './commands/package.js';
import { createPrepareCentralCommand } from './commands/prepare-central.js';
import { createPruneCommand } from './commands/prune.js';
import { createRetireCommand } from './commands/retire.js';
import { createSyncCommand } from './commands/sync.js';
import { createUpgradeCommand } from './commands/upgrade.js';
import type { Terminal } from './terminal.js';

const commandFactories: ((run: CommandRunner) => Command)[] = [
  createInstallCommand,
  createUpgradeCommand,
  createPrepareCentralCommand,
  createPackageCommand,
  createInspectCommand,
  createDeployCommand,
  createSyncCommand,
  createHeldCommand,
  createCompareCommand,
  createGrantCommand,
  createPruneCommand,
  createRetireCommand,
];

/**
 * Builds the tree of commands. Nothing is printed or ended by commander itself: wrong usage is thrown as CommanderError,
 * the exit code of a command that ends goes to `onExitCode`.
 */
export function createProgram(
  terminal: Terminal,
  environment: Environment,
  signal: AbortSignal,
  onExitCode: (exitCode: ExitCode) => void,
): Command {
  const program = new Command('lizsync')
    .description('Keeps one central PostgreSQL database and many clones of it in step, both ways.')
    .version(toolVersion, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .option('--json', 'print the result as one JSON object, and nothing else, on stdout')
    .addOption(new Option('--quiet', 'print only errors and what needs a person').conflicts('verbose'))
    .option('--verbose', 'print where settings come from, and more about errors')
    .option('--config <file>', 'read this file instead of lizsync.toml')
    .addHelpText(
      'after',
      describeExamples('lizsync sync --help', 'lizsync sync --central service=central --clone dbname=field'),
    );
  const run = createRunner(terminal, environment, signal, onExitCode);
  for (const create of commandFactories) program.addCommand(create(run));
  for (const command of [program, ...program.commands.flatMap((command) => [command, ...command.commands])]) {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeErr: (text) => terminal.showHelp(text), outputError: () => {} })
      .helpOption('--help', 'print this help');
  }
  return program;
}
