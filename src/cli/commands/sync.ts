import { Command } from 'commander';
import { retryConnections } from '../../core/retry.js';
import { type SynchronizeResult, synchronize } from '../../core/sync.js';
import { exitCodes, UsageError } from '../../errors.js';
import {
  type CommandContext,
  type CommandRunner,
  type ConnectionOption,
  centralOption,
  cloneOption,
  describeExamples,
  type ExitCode,
  tablesOption,
} from '../command.js';
import { resolveCentral, resolveClone } from '../connections.js';
import { formatCount, formatNumber } from '../format.js';
import { parseTableNames } from '../parse-names.js';
import { mark } from '../terminal.js';

interface SyncOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  tables?: string[];
  viaClone?: boolean;
  resume: boolean;
  retry: number;
}

// a clock further off decides too many conflicts wrongly
const clockOffsetLimitMilliseconds = 5000;

export function createSyncCommand(run: CommandRunner): Command {
  return new Command('sync')
    .summary('carry changes from a clone to the central and back')
    .description(
      'Carries what changed since the last sync from the clone to the central, then from the central to the clone. ' +
        'Ends with 3 when it is done but something needs a person, with 4 when another sync of this clone is running.',
    )
    .addOption(cloneOption())
    .addOption(centralOption())
    .addOption(tablesOption('only these tables, as s.t,"S"."T"; the others stay as they are'))
    .option('--via-clone', 'let the clone do the work over its own connection: SELECT lizsync.synchronize()')
    .option('--no-resume', 'send everything again, also what a sync that broke off has already sent')
    .option('--retry <count>', 'how often to try again, after growing pauses, when a connection fails', readCount, 0)
    .addHelpText(
      'after',
      describeExamples(
        'lizsync sync',
        'lizsync sync --clone dbname=field --retry 5 --quiet',
        'lizsync sync --via-clone --json',
        'lizsync sync --tables survey.point',
      ),
    )
    .action(
      run<SyncOptions>(async (context, options) => {
        const clone = resolveClone(options.clone, context);
        const viaClone = options.viaClone ?? false;
        const tables = options.tables && parseTableNames(options.tables);
        const { terminal, signal } = context;
        const result = await retryConnections(options.retry, terminal.onProgress, signal, async () => {
          // a clone that does the work itself knows its central
          const central = viaClone ? clone : await resolveCentral(options.central, context, clone);
          return await synchronize(
            { central, clone, viaClone, tables, resume: options.resume, signal },
            terminal.onProgress,
          );
        });
        terminal.showResult(result, describeSync(result));
        return reportWhatNeedsAPerson(result, context);
      }),
    );
}

function readCount(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) {
    throw new UsageError(`--retry: ${text} is not a number`, { hint: 'write it as 5; 0: do not try again' });
  }
  return Number(text);
}

function describeSync(result: SynchronizeResult): string[] {
  const moved = `${formatNumber(result.pushed)} pushed, ${formatNumber(result.pulled)} pulled`;
  const conflicts = formatCount(result.conflicts, 'conflict');
  const held = formatCount(result.held, 'held change');
  return [
    `${mark.good('synchronised')}: ${moved}, ${result.conflicts > 0 ? mark.attention(conflicts) : conflicts}, ` +
      `${result.held > 0 ? mark.bad(held) : held}`,
  ];
}

function reportWhatNeedsAPerson(result: SynchronizeResult, { terminal }: CommandContext): ExitCode {
  let exitCode: ExitCode = exitCodes.done;
  if (result.held > 0) {
    exitCode = exitCodes.needsAPerson;
    terminal.warn(
      `${formatCount(result.held, 'change')} could not be applied and ${result.held === 1 ? 'is' : 'are'} held`,
      'lizsync held says which rows and why; correct what stands in their way, every sync tries them again',
    );
  }
  const offset = result.clock_offset_ms;
  if (Math.abs(offset) > clockOffsetLimitMilliseconds) {
    exitCode = exitCodes.needsAPerson;
    const direction = offset > 0 ? 'ahead of' : 'behind';
    terminal.warn(
      `the clock of the clone is ${formatNumber(Math.round(Math.abs(offset) / 100) / 10)} s ${direction} the clock of the central`,
      'set both clocks by a time server (NTP): the later change wins a conflict',
    );
  }
  return exitCode;
}
