import { Command, Option } from 'commander';
import { type Compression, compressions } from '../../archive/compression.js';
import { exitCodes, UsageError } from '../../errors.js';
import {
  type CommandRunner,
  type ConnectionOption,
  centralOption,
  describeExamples,
  schemasOption,
  tablesOption,
} from '../command.js';
import { resolveCentral } from '../connections.js';
import { formatBytes, formatCount } from '../format.js';
import { parseSchemaNames, parseTableNames } from '../parse-names.js';
import { mark } from '../terminal.js';

interface PackageOptions {
  central?: ConnectionOption;
  schemas?: string[];
  tables?: string[];
  output: string;
  sqlAfter?: string;
  compression: Compression;
  compressionLevel?: number;
  withViews?: boolean;
  jobs: number;
}

export function createPackageCommand(run: CommandRunner): Command {
  return new Command('package')
    .summary('write tables of the central into an archive for clones')
    .description(
      'Writes prepared tables of the central, as they are at one moment, into an archive from which any number of clones ' +
        'can be deployed. People go on working meanwhile; what they change arrives with the first sync.',
    )
    .addOption(centralOption())
    .addOption(schemasOption('all prepared tables of these schemas, as a,"B"'))
    .addOption(tablesOption('these tables, as s.t,"S"."T"'))
    .requiredOption('--output <file>', 'the archive to write')
    .option('--sql-after <file>', 'SQL that runs in the clone at the end of deploy')
    .addOption(
      new Option(
        '--compression <method>',
        'how rows are compressed: as files of brotli within the ZIP file, by ZIP itself, or not at all',
      )
        .choices(compressions)
        .default('brotli'),
    )
    .option(
      '--compression-level <level>',
      'from 1, quickest, to 9, smallest and slowest (default: 1 for brotli, 6 for deflate)',
      readCompressionLevel,
    )
    .option('--with-views', 'take along the views of these schemas that use nothing but the tables')
    .option(
      '--jobs <count>',
      'how many tables are read at a time; what waits for its turn is in temporary files beside the archive',
      readJobs,
      2,
    )
    .addHelpText(
      'after',
      describeExamples(
        'lizsync package --central --schemas survey --output survey.zip',
        'lizsync package --schemas survey --with-views --output survey.zip',
      ),
    )
    .action(
      run<PackageOptions>(async (context, options) => {
        const { configuration } = context;
        const given = options.schemas ?? options.tables;
        const schemas = parseSchemaNames(options.schemas ?? (given === undefined ? (configuration.schemas ?? []) : []));
        const tables = parseTableNames(options.tables ?? (given === undefined ? (configuration.tables ?? []) : []));
        if (schemas.length === 0 && tables.length === 0) {
          throw new UsageError('no tables named', { hint: 'give --schemas or --tables, or set them in lizsync.toml' });
        }
        const central = await resolveCentral(options.central, context);
        // the archive libraries take as long to load as all the rest: only who needs them waits for them
        const { createPackage } = await import('../../core/package.js');
        const result = await createPackage(
          {
            central,
            schemas,
            tables,
            output: options.output,
            sqlAfter: options.sqlAfter,
            compression: options.compression,
            compressionLevel: options.compressionLevel,
            withViews: options.withViews ?? false,
            jobs: options.jobs,
            signal: context.signal,
          },
          context.terminal.onProgress,
        );
        const views = result.views === 0 ? '' : `, ${formatCount(result.views, 'view')}`;
        const contents = `${formatCount(result.tables, 'table')}, ${formatCount(result.rows, 'row')}${views}`;
        context.terminal.showResult(result, [
          `${mark.good('packaged')} ${contents} into ${result.file} (${formatBytes(result.bytes)})`,
        ]);
        return exitCodes.done;
      }),
    );
}

function readCompressionLevel(text: string): number {
  if (!/^[1-9]$/.test(text)) {
    throw new UsageError(`--compression-level: ${text} is not a level`, {
      hint: 'write a digit from 1 to 9, or --compression none',
    });
  }
  return Number(text);
}

function readJobs(text: string): number {
  if (!/^[1-9][0-9]?$/.test(text)) {
    throw new UsageError(`--jobs: ${text} is not a number of jobs`, { hint: 'write a number from 1 to 99' });
  }
  return Number(text);
}
