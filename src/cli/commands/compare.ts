import { Command } from 'commander';
import type { CompareResult } from '../../core/compare.js';
import { exitCodes } from '../../errors.js';
import {
  type CommandRunner,
  type ConnectionOption,
  centralOption,
  cloneOption,
  describeExamples,
  schemasOption,
  tablesOption,
} from '../command.js';
import { resolveCentral, resolveClone } from '../connections.js';
import { formatCount, formatNumber } from '../format.js';
import { parseSchemaNames, parseTableNames, quoteName } from '../parse-names.js';
import { mark } from '../terminal.js';

interface CompareOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
  schemas?: string[];
  tables?: string[];
  verbose?: boolean;
}

export function createCompareCommand(run: CommandRunner): Command {
  return new Command('compare')
    .summary('say whether a clone and the central hold the same rows')
    .description(
      'Compares the tables of a clone with those of the central, row by row and column by column, with checksums that ' +
        'the servers compute: equal tables transfer next to nothing. Ends with 0 when they are equal, with 1 when not.',
    )
    .addOption(cloneOption())
    .addOption(centralOption())
    .addOption(schemasOption('only the tables of these schemas, as a,"B" (default: all that the clone synchronises)'))
    .addOption(tablesOption('only these tables, as s.t,"S"."T"'))
    .addHelpText(
      'after',
      describeExamples('lizsync compare', 'lizsync compare --clone dbname=field --tables survey.point --json'),
    )
    .action(
      run<CompareOptions>(async (context, options) => {
        const clone = resolveClone(options.clone, context);
        const central = await resolveCentral(options.central, context, clone);
        const { compare } = await import('../../core/compare.js');
        const result = await compare(
          {
            central,
            clone,
            schemas: options.schemas && parseSchemaNames(options.schemas),
            tables: options.tables && parseTableNames(options.tables),
            signal: context.signal,
          },
          context.terminal.onProgress,
        );
        context.terminal.showResult(result, describeComparison(result, options.verbose ?? false));
        return result.equal ? exitCodes.done : exitCodes.failed;
      }),
    );
}

const kindDescriptions = {
  only_central: 'only in the central',
  only_clone: 'only in the clone',
  different: 'different',
} as const;

// what a person reads; --verbose and --json show more
const shownDifferences = 20;

function describeComparison(result: CompareResult, showsAll: boolean): string[] {
  const lines: string[] = [];
  for (const table of result.tables) {
    const name = `${quoteName(table.schema)}.${quoteName(table.table)}`;
    if (table.differenceCount === 0) {
      lines.push(`  ${name}: ${mark.good('equal')}, ${formatCount(table.rowsCentral, 'row')}`);
      continue;
    }
    const counts = `${formatCount(table.rowsCentral, 'row')} in the central, ${formatCount(table.rowsClone, 'row')} in the clone`;
    lines.push(`  ${name}: ${mark.bad(formatCount(table.differenceCount, 'differing row'))}, ${counts}`);
    const shown = table.differences.slice(0, showsAll ? undefined : shownDifferences);
    for (const { uid, kind, columns } of shown) {
      lines.push(
        `    ${uid} ${kindDescriptions[kind]}${columns.length === 0 ? '' : `: ${columns.map(quoteName).join(', ')}`}`,
      );
    }
    const hidden = table.differenceCount - shown.length;
    if (hidden > 0)
      lines.push(`    and ${formatNumber(hidden)} more${showsAll ? '' : '; --verbose and --json list them'}`);
  }
  const count = formatCount(result.tables.length, 'table');
  lines.push(result.equal ? `${mark.good('equal')}: ${count}` : `${mark.bad('different')}: ${count} compared`);
  return lines;
}
