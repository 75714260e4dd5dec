import { Command } from 'commander';
import { type RetireResult, retire } from '../../core/retire.js';
import { exitCodes } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, describeExamples } from '../command.js';
import { resolveCentral } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

export function createRetireCommand(run: CommandRunner): Command {
  return new Command('retire')
    .summary('end the link of a clone that is not used any more')
    .description(
      'Ends the link of a clone at the central: it can no longer synchronise, not even what it has not sent yet; nothing is ' +
        'kept for it any more, and the numbers that it has not drawn can be given to other clones. A deploy takes it back.',
    )
    .argument('<clone>', 'name or id of the clone')
    .addOption(centralOption())
    .addHelpText(
      'after',
      describeExamples('lizsync retire tablet-7', 'lizsync retire tablet-7 --central service=central'),
    )
    .action(
      run<{ central?: ConnectionOption }>(async (context, options, clone) => {
        const result = await retire(await resolveCentral(options.central, context), clone ?? '');
        context.terminal.showResult(result, describeRetirement(result));
        return exitCodes.done;
      }),
    );
}

function describeRetirement(result: RetireResult): string[] {
  const last =
    result.last_synchronised_at === null
      ? 'it has never synchronised'
      : `it last synchronised on ${result.last_synchronised_at.slice(0, 10)}`;
  return [
    `${mark.good('retired')}: clone ${result.clone_name} (${result.clone_id}), ${last}; ` +
      `${formatCount(result.ranges_returned, 'range')} of numbers returned`,
  ];
}
