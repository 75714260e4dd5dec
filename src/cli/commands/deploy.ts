import { Command } from 'commander';
import type { DeployPlan } from '../../core/plan-deploy.js';
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
  cascade?: boolean;
  trust?: boolean;
  dryRun?: boolean;
}

export function createDeployCommand(run: CommandRunner): Command {
  return new Command('deploy')
    .summary('make a clone from an archive')
    .description(
      'Makes a database a clone: creates the tables of the archive with their data, registers it at the central and ' +
        'stores in it how it reaches the central. One transaction: after any failure the clone is as it was. ' +
        'Deploying over a clone keeps its identity. Tables whose definitions have not changed get other rows, and views, ' +
        'rights and whatever else the clone has made of them stay.',
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
    .option('--cascade', 'drop what depends on tables that must be made anew, because their definitions have changed')
    .option('--trust', 'deploy an archive that the central does not know; it can hold code that does anything')
    .option('--dry-run', 'only say what would be done; ends with 1 when it would be refused')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync deploy survey.zip --clone --name tablet-7',
        'lizsync deploy survey.zip --clone --dry-run',
        "lizsync deploy survey.zip --clone dbname=field --central service=central --central-from-clone 'host=10.0.0.1 dbname=gis user=tablet7'",
      ),
    )
    .action(
      run<DeployOptions>(async (context, options, archive) => {
        const clone = resolveClone(options.clone, context);
        const central = await resolveCentral(options.central, context, clone);
        const { terminal, signal } = context;
        const work = {
          archive: archive ?? '',
          central,
          clone,
          centralFromClone:
            options.centralFromClone === undefined ? undefined : readConnection(options.centralFromClone, context),
          name: options.name,
          newId: options.newId ?? false,
          force: options.force ?? false,
          unsentChangesFile: options.unsentChanges,
          cascade: options.cascade ?? false,
          trust: options.trust ?? false,
          signal,
        };
        // the archive libraries take as long to load as all the rest: only who needs them waits for them
        if (options.dryRun === true) {
          const { planDeploy } = await import('../../core/plan-deploy.js');
          const plan = await planDeploy(work, terminal.onProgress);
          terminal.showResult(plan, describePlan(plan, describeConnection(clone)));
          return plan.refusals.length === 0 ? exitCodes.done : exitCodes.failed;
        }
        const { deploy } = await import('../../core/deploy.js');
        const result = await deploy(work, terminal.onProgress);
        const contents = `${formatCount(result.tables, 'table')}, ${formatCount(result.rows, 'row')}`;
        terminal.showResult(result, [
          `${mark.good('deployed')} ${contents} to ${describeConnection(clone)}, clone ${result.serverName} (${result.serverId})`,
        ]);
        if (result.unsentChanges !== null) {
          const { count, file } = result.unsentChanges;
          terminal.warn(`discarded ${formatCount(count, 'change')} that had not been sent; ${file} has them`);
        }
        return exitCodes.done;
      }),
    );
}

function describePlan(plan: DeployPlan, database: string): string[] {
  const actions = {
    create: 'would create',
    'replace rows': 'would replace the rows of',
    'make anew': 'would make anew',
  };
  const extensions = plan.extensions.filter(({ state }) => state === 'to create').map(({ name }) => name);
  return [
    `${formatCount(plan.tables.length, 'table')}, ${formatCount(plan.rows, 'row')} to ${database}, clone ${plan.serverName}`,
    ...plan.tables.map(
      ({ schema, name, rows, action }) => `${actions[action]} ${schema}.${name}: ${formatCount(rows, 'row')}`,
    ),
    ...extensions.map((name) => `would create the extension ${name}`),
    ...plan.differences.map((difference) => `differs: ${difference}`),
    ...plan.dropped.map((name) => `would be dropped: ${name}`),
    ...plan.ended.map((name) => `would stay, and no longer be synchronised: ${name}`),
    ...(plan.unsentChanges === 0 ? [] : [`not sent to the central: ${formatCount(plan.unsentChanges, 'change')}`]),
    ...plan.refusals.flatMap(({ message, details, hint }) => [
      `${mark.bad('would be refused')}: ${message}`,
      ...details.map((detail) => `  ${detail}`),
      ...(hint === null ? [] : [`hint: ${hint}`]),
    ]),
    ...(plan.refusals.length === 0 ? [`${mark.good('nothing stands in the way')}`] : []),
  ];
}
