import { Command } from 'commander';
import { type PruneResult, prune } from '../../core/prune.js';
import { exitCodes, UsageError } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, describeExamples } from '../command.js';
import { resolveCentral } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

interface PruneCommandOptions {
  central?: ConnectionOption;
  keep: string;
  expire?: string;
  dryRun?: boolean;
}

const hoursOfUnit: Record<string, number> = { h: 1, d: 24, w: 7 * 24 };

export function createPruneCommand(run: CommandRunner): Command {
  return new Command('prune')
    .summary('remove old events from the log of the central')
    .description(
      'Removes from the log of the central what is older than --keep and has reached all clones. What a clone still needs ' +
        'stays, unless --expire marks the clone: a marked clone gets nothing more until a new package is deployed to it; ' +
        'its own changes it can still send. The logs of clones are pruned by each sync.',
    )
    .addOption(centralOption())
    .requiredOption('--keep <age>', 'how old an event may get: 365d (days), 52w (weeks) or 12h (hours)')
    .option('--expire <age>', 'mark the clones that have not synchronised for so long, as 90d')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync prune --central --keep 365d',
        'lizsync prune --central service=central --keep 365d --expire 180d --dry-run',
      ),
    )
    .action(
      run<PruneCommandOptions>(async (context, options) => {
        const keepHours = readHours('--keep', options.keep);
        const expireHours = options.expire === undefined ? undefined : readHours('--expire', options.expire);
        const central = await resolveCentral(options.central, context);
        const { signal, terminal } = context;
        const result = await prune(
          { central, keepHours, expireHours, dryRun: options.dryRun ?? false, signal },
          terminal.onProgress,
        );
        terminal.showResult(result, describePrune(result));
        return exitCodes.done;
      }),
    );
}

function readHours(option: string, text: string): number {
  const [, count, unit] = /^([0-9]{1,6})([hdw])$/.exec(text) ?? [];
  const hours = hoursOfUnit[unit ?? ''];
  if (hours === undefined) {
    throw new UsageError(`${option}: ${text} is not an age`, {
      hint: 'write it as 365d (days), 52w (weeks) or 12h (hours)',
    });
  }
  return Number(count) * hours;
}

function describePrune({ removed, expired, heldBackBy, dryRun }: PruneResult): string[] {
  const events = formatCount(removed, 'event');
  const last = (time: string | null): string =>
    time === null ? 'has never synchronised' : `last synchronised on ${time.slice(0, 10)}`;
  return [
    dryRun ? `would remove ${events}` : `${mark.good('removed')}: ${events}`,
    ...expired.map(
      ({ name, lastSynchronisedAt }) =>
        `${dryRun ? 'would mark' : mark.attention('marked')}: ${name} (${last(lastSynchronisedAt)}) needs a new package`,
    ),
    ...(heldBackBy === null
      ? []
      : [`kept for ${heldBackBy.name}, which ${last(heldBackBy.lastSynchronisedAt)}: events that are older`]),
  ];
}
