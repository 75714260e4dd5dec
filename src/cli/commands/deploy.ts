import { Command } from 'commander';
import { describeConnection } from '../../db/connection-settings.js';
import { exitCodes } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, cloneOption, describeExamples } from '../command.js';
import { readConnection, resolveCentral, resolveClone } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

interface DeployOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  centralFromClone?: string;
  name?: string;
  newId?: boolean;
  force?: boolean;
  unsentChanges?: string;
}

export function createDeployCommand(run: CommandRunner): Command {
  return new Command('deploy')
    .summary('make a clone from an archive')
    .description(
      'Makes a database a clone: creates the tables of the archive with their data, registers it at the central and ' +
        'stores in it how it reaches the central. One transaction: after any failure the clone is as it was. ' +
        'Deploying over a clone keeps its identity.',
    )
    .argument('<archive>', 'the file that lizsync package wrote')
    .addOption(cloneOption())
    .addOption(centralOption())
    .option(
      '--central-from-clone <connection>',
      'the central as the clone reaches it, when that differs from --central',
    )
    .option(
      '--name <name>',
      'how the clone is called in messages and in the history (default: the name of the database)',
    )
    .option('--new-id', 'give the clone a new identity, as for a copied database')
    .option('--force', 'discard changes of the clone that were not sent, after writing them to a file')
    .option('--unsent-changes <file>', 'the file that --force writes')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync deploy survey.zip --clone --name tablet-7',
        "lizsync deploy survey.zip --clone dbname=field --central service=central --central-from-clone 'host=10.0.0.1 dbname=gis user=tablet7'",
      ),
    )
    .action(
      run<DeployOptions>(async (context, options, archive) => {
        const clone = resolveClone(options.clone, context);
        const central = await resolveCentral(options.central, context, clone);
        // the archive libraries take as long to load as all the rest: only who needs them waits for them
        const { deploy } = await import('../../core/deploy.js');
        const result = await deploy(
          {
            archive: archive ?? '',
            central,
            clone,
            centralFromClone:
              options.centralFromClone === undefined ? undefined : readConnection(options.centralFromClone, context),
            name: options.name,
            newId: options.newId ?? false,
            force: options.force ?? false,
            unsentChangesFile: options.unsentChanges,
            signal: context.signal,
          },
          context.terminal.onProgress,
        );
        const contents = `${formatCount(result.tables, 'table')}, ${formatCount(result.rows, 'row')}`;
        context.terminal.showResult(result, [
          `${mark.good('deployed')} ${contents} to ${describeConnection(clone)}, clone ${result.serverName} (${result.serverId})`,
        ]);
        if (result.unsentChanges !== null) {
          const { count, file } = result.unsentChanges;
          context.terminal.warn(`discarded ${formatCount(count, 'change')} that had not been sent; ${file} has them`);
        }
        return exitCodes.done;
      }),
    );
}
