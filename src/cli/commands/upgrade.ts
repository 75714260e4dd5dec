import { Command } from 'commander';
import { type UpgradeResult, upgrade } from '../../core/upgrade.js';
import { type ConnectionSettings, describeConnection } from '../../db/connection-settings.js';
import { exitCodes, UsageError } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, cloneOption, describeExamples } from '../command.js';
import { resolveCentral, resolveClone } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

interface UpgradeOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  dryRun?: boolean;
}

export function createUpgradeCommand(run: CommandRunner): Command {
  return new Command('upgrade')
    .summary('bring a central or a clone to this version of lizsync')
    .description(
      'Brings the schemas of lizsync in a central or in a clone from any earlier version to the version of this program, ' +
        'in one transaction. Exactly one of --central and --clone must be given.',
    )
    .addOption(centralOption().conflicts('clone'))
    .addOption(cloneOption())
    .option('--dry-run', 'only list the migrations that would be applied')
    .addHelpText(
      'after',
      describeExamples('lizsync upgrade --central', 'lizsync upgrade --clone dbname=field --dry-run'),
    )
    .action(
      run<UpgradeOptions>(async (context, options) => {
        if (options.central === undefined && options.clone === undefined) {
          throw new UsageError('say what to upgrade', { hint: 'give either --central or --clone' });
        }
        const role = options.clone === undefined ? 'central' : 'clone';
        const connection =
          role === 'central' ? await resolveCentral(options.central, context) : resolveClone(options.clone, context);
        const result = await upgrade(
          connection,
          { role, install: false, dryRun: options.dryRun ?? false },
          context.terminal.onProgress,
        );
        context.terminal.showResult(result, describeUpgrade(result, connection));
        return exitCodes.done;
      }),
    );
}

/** Says what install or upgrade did, or would do, for people. */
export function describeUpgrade(result: UpgradeResult, connection: ConnectionSettings): string[] {
  const where = describeConnection(connection);
  const versions =
    result.fromVersion === null
      ? `version ${result.toVersion}`
      : `version ${result.fromVersion} to ${result.toVersion}`;
  if (result.dryRun) {
    if (result.applied.length === 0) return [`nothing to do in ${where}`];
    return [`would apply to ${where} (${versions}):`, ...result.applied.map((migration) => `  ${migration}`)];
  }
  if (result.alreadyCurrent) return [`already installed in ${where}, version ${result.toVersion}`];
  const verb = result.fromVersion === null ? 'installed in' : 'upgraded';
  const migrations = formatCount(result.applied.length, 'migration');
  return [`${mark.good(verb)} ${where}, ${versions} (${migrations}), server id ${result.serverId}`];
}
