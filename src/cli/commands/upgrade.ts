import { Command } from 'commander';
import { toolVersion } from '../../core/tool-version.js';
import type { UpgradeResult } from '../../core/upgrade.js';
import { type ConnectionSettings, describeConnection } from '../../db/connection-settings.js';
import { exitCodes, UsageError } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, cloneOption, describeExamples } from '../command.js';
import { resolveCentral, resolveClone } from '../connections.js';
import { mark } from '../terminal.js';

interface UpgradeOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  moved?: boolean;
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
    .option(
      '--moved',
      'the database was moved to another server, by pg_upgrade for example, and goes on in place of the original, which is gone',
    )
    .option('--dry-run', 'only list the migrations that would be applied')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync upgrade --central',
        'lizsync upgrade --clone dbname=field --dry-run',
        'lizsync upgrade --clone --moved',
      ),
    )
    .action(
      run<UpgradeOptions>(async (context, options) => {
        if (options.central === undefined && options.clone === undefined) {
          throw new UsageError('say what to upgrade', { hint: 'give either --central or --clone' });
        }
        const role = options.clone === undefined ? 'central' : 'clone';
        const connection =
          role === 'central' ? await resolveCentral(options.central, context) : resolveClone(options.clone, context);
        const { upgrade } = await import('../../core/upgrade.js');
        const result = await upgrade(
          connection,
          { role, install: false, dryRun: options.dryRun ?? false, moved: options.moved ?? false },
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
  const moved = result.moved ? [`${mark.good('moved')}: ${where} goes on in place of the original`] : [];
  if (result.alreadyCurrent) return [...moved, `already installed: ${where} is up to date with lizsync ${toolVersion}`];
  const changes = [
    ...result.extensions.map((extension) => `extension ${extension}`),
    ...result.applied.map((migration) => `migration ${migration}`),
    ...(result.routinesReplaced ? [`the functions of lizsync ${toolVersion}`] : []),
  ];
  if (result.dryRun) return [`would apply to ${where}:`, ...changes.map((change) => `  ${change}`)];
  const verb = result.fromVersion === null ? 'installed lizsync' : 'upgraded to lizsync';
  return [
    `${mark.good(verb)} ${toolVersion}: ${where} is the ${result.role} ${result.serverName} (${result.serverId})`,
    ...changes.map((change) => `  ${change}`),
    ...moved,
  ];
}
