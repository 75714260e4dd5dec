import { Command } from 'commander';
import { grant } from '../../core/grant.js';
import { exitCodes, UsageError } from '../../errors.js';
import { type CommandRunner, type ConnectionOption, centralOption, cloneOption, describeExamples } from '../command.js';
import { resolveCentral, resolveClone } from '../connections.js';
import { mark } from '../terminal.js';

interface GrantCommandOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  role: string;
  name?: string;
}

export function createGrantCommand(run: CommandRunner): Command {
  return new Command('grant')
    .summary('let a role synchronise a clone, and nothing else')
    .description(
      'Gives a role of the central or of a clone exactly what it needs to synchronise: the right to call the steps of a ' +
        'sync, no rights on the tables. On the central it may act for the named clone only. Exactly one of --central and ' +
        '--clone must be given.',
    )
    .addOption(centralOption().conflicts('clone'))
    .addOption(cloneOption())
    .requiredOption('--role <role>', 'name of the role, as it is in PostgreSQL')
    .option('--name <clone>', 'on the central: name of the clone that the role may synchronise')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync grant --central --role field_team_1 --name tablet1',
        'lizsync grant --clone dbname=field --role surveyor',
      ),
    )
    .action(
      run<GrantCommandOptions>(async (context, options) => {
        if (options.central === undefined && options.clone === undefined) {
          throw new UsageError('say where the role gets its rights', { hint: 'give either --central or --clone' });
        }
        const serverRole = options.clone === undefined ? 'central' : 'clone';
        const server =
          serverRole === 'central'
            ? await resolveCentral(options.central, context)
            : resolveClone(options.clone, context);
        const { role, name: cloneName } = options;
        const result = await grant({ server, serverRole, role, cloneName, signal: context.signal });
        context.terminal.showResult(result, [
          `${mark.good('granted')}: ${result.role} may synchronise ${result.server} with ${result.peer}`,
        ]);
        return exitCodes.done;
      }),
    );
}
