import { Command } from 'commander';
import type { PrepareCentralResult } from '../../core/prepare-central.js';
import { exitCodes, UsageError } from '../../errors.js';
import {
  appendText,
  type CommandRunner,
  type ConnectionOption,
  centralOption,
  describeExamples,
  schemasOption,
  tablesOption,
} from '../command.js';
import { resolveCentral } from '../connections.js';
import { formatCount } from '../format.js';
import { parseColumnNames, parseSchemaNames, parseTableNames, quoteName } from '../parse-names.js';
import { mark } from '../terminal.js';

interface PrepareCentralOptions {
  central?: ConnectionOption;
  schemas?: string[];
  tables?: string[];
  excludeColumns?: string[];
  dryRun?: boolean;
}

export function createPrepareCentralCommand(run: CommandRunner): Command {
  return new Command('prepare-central')
    .summary('make tables of the central ready for synchronisation')
    .description(
      'Gives each table a column uid (uuid, unique) where it is missing, and the triggers that log its changes. ' +
        'Can be run again at any time; what is there stays.',
    )
    .addOption(centralOption())
    .addOption(schemasOption('all tables of these schemas, as a,"B" (not public: name its tables with --tables)'))
    .addOption(tablesOption('these tables, as s.t,"S"."T"'))
    .option(
      '--exclude-columns <names>',
      'columns that are neither logged nor synchronised, as s.t.c,"S"."T"."C"',
      appendText,
    )
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      describeExamples(
        'lizsync prepare-central --central --schemas survey',
        `lizsync prepare-central --tables 'public.parcel,public."Photo"' --exclude-columns public.parcel.area`,
      ),
    )
    .action(
      run<PrepareCentralOptions>(async (context, options) => {
        const { configuration } = context;
        const given = options.schemas ?? options.tables;
        const schemas = parseSchemaNames(options.schemas ?? (given === undefined ? (configuration.schemas ?? []) : []));
        const tables = parseTableNames(options.tables ?? (given === undefined ? (configuration.tables ?? []) : []));
        if (schemas.length === 0 && tables.length === 0) {
          throw new UsageError('no tables named', { hint: 'give --schemas or --tables, or set them in lizsync.toml' });
        }
        const excludeColumns = parseColumnNames(options.excludeColumns ?? configuration['exclude-columns'] ?? []);
        const central = await resolveCentral(options.central, context);
        const { prepareCentral } = await import('../../core/prepare-central.js');
        const result = await prepareCentral(
          { central, schemas, tables, excludeColumns, dryRun: options.dryRun ?? false },
          context.terminal.onProgress,
        );
        context.terminal.showResult(result, describePreparation(result));
        return exitCodes.done;
      }),
    );
}

function describePreparation(result: PrepareCentralResult): string[] {
  const lines = result.tables.map((table) => {
    const excluded = table.excludedColumns.map(quoteName).join(', ');
    const exclusion = excluded === '' ? '' : `, without ${excluded}`;
    return `  ${quoteName(table.schema)}.${quoteName(table.table)}: uid ${table.uid}, triggers ${table.triggers}${exclusion}`;
  });
  const count = formatCount(result.tables.length, 'table');
  return [...lines, result.dryRun ? `would prepare ${count}` : `${mark.good('prepared')} ${count}`];
}
