import { Command } from 'commander';
import { exitCodes } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, describeExamples } from '../command.js';
import { resolveCentral } from '../connections.js';
import { describeUpgrade } from './upgrade.js';

interface InstallOptions {
  central?: ConnectionOption;
  name?: string;
  dryRun?: boolean;
}

export function createInstallCommand(run: CommandRunner): Command {
  return new Command('install')
    .summary('make a database the central')
    .description(
      'Makes a database the central: creates the schemas audit and lizsync, the extensions they need and the id of the ' +
        'server, in one transaction. Does nothing when that is done already.',
    )
    .addOption(centralOption())
    .option(
      '--name <name>',
      'how the central is called in messages and in the history (default: the name of the database)',
    )
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', describeExamples("lizsync install --central 'host=db.example.org dbname=gis user=admin'"))
    .action(
      run<InstallOptions>(async (context, options) => {
        const connection = await resolveCentral(options.central, context);
        const { upgrade } = await import('../../core/upgrade.js');
        const result = await upgrade(
          connection,
          { role: 'central', install: true, serverName: options.name, dryRun: options.dryRun ?? false },
          context.terminal.onProgress,
        );
        context.terminal.showResult(result, describeUpgrade(result, connection));
        return exitCodes.done;
      }),
    );
}
