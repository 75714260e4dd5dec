import { Command } from 'commander';
import { retire } from '../../core/retire.js';
import { exitCodes } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, describeExamples } from '../command.js';
import { resolveCentral } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

interface RetireCommandOptions {
  central?: ConnectionOption;
  yes?: boolean;
}

export function createRetireCommand(run: CommandRunner): Command {
  return new Command('retire')
    .summary('end the link of a clone that is gone')
    .description(
      'Ends the link of a clone, by its name or its id: it cannot synchronise any more, prune keeps nothing for it, and the ' +
        'numbers that it has not used return for other clones. The central cannot know whether the clone has changes that ' +
        'were not sent: synchronise it before, if it still exists. If it turns up again, a new package can be deployed to it.',
    )
    .argument('<clone>', 'name or id of the clone')
    .addOption(centralOption())
    .option('--yes', 'really do it')
    .addHelpText(
      'after',
      describeExamples('lizsync retire tablet-7 --central', 'lizsync retire tablet-7 --central --yes'),
    )
    .action(
      run<RetireCommandOptions>(async (context, options, clone = '') => {
        const central = await resolveCentral(options.central, context);
        const result = await retire({ central, clone, yes: options.yes ?? false, signal: context.signal });
        context.terminal.showResult(result, [
          `${mark.good('retired')}: ${result.clone} (${result.cloneId}) cannot synchronise any more`,
          ...(result.held === 0
            ? []
            : [`the central still holds ${formatCount(result.held, 'change')} of it: lizsync held --central`]),
        ]);
        return exitCodes.done;
      }),
    );
}
