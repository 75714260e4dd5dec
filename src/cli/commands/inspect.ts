import { Command } from 'commander';
import type { InspectedArchive } from '../../core/inspect-archive.js';
import { exitCodes } from '../../errors.js';
import { type CommandRunner, describeExamples } from '../command.js';
import { formatBytes, formatCount, toPrintable } from '../format.js';
import { mark } from '../terminal.js';

export function createInspectCommand(run: CommandRunner): Command {
  return new Command('inspect')
    .summary('show what is in an archive')
    .description(
      'Shows what an archive of lizsync package holds, and reads all of it to check that it is undamaged. Needs no server ' +
        'and runs nothing. Ends with 1 when something in it is damaged. Whether a central made the archive is not seen ' +
        'here: deploy asks the central.',
    )
    .argument('<archive>', 'the file that lizsync package wrote')
    .addHelpText('after', describeExamples('lizsync inspect survey.zip', 'lizsync inspect survey.zip --json'))
    .action(
      run<object>(async (context, _options, archive) => {
        // the archive libraries take as long to load as all the rest: only who needs them waits for them
        const { inspectArchive } = await import('../../core/inspect-archive.js');
        const inspected = await inspectArchive(archive ?? '', context.terminal.onProgress);
        const isUndamaged = inspected.entries.every(({ problem }) => problem === null);
        context.terminal.showResult({ ...inspected, isUndamaged }, describeArchive(inspected));
        return isUndamaged ? exitCodes.done : exitCodes.failed;
      }),
    );
}

function describeArchive(archive: InspectedArchive): string[] {
  const { central, tables, entries } = archive;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const list = (title: string, names: string[]): string[] =>
    names.length === 0 ? [] : [`${title}: ${names.join(', ')}`];
  const damaged = entries.filter(({ problem }) => problem !== null);
  // the archive comes from anywhere: what it says must not steer the terminal
  const facts = [
    `package ${archive.packageId} of ${archive.createdAt} (${formatBytes(archive.bytes)})`,
    `central: ${central.serverName} (${central.serverId}), PostgreSQL ${archive.postgresVersion}, lizsync ${archive.lizsyncVersion}`,
    `sha256 of its manifest: ${archive.manifestSha256}`,
    `${formatCount(tables.length, 'table')}, ${formatCount(rows, 'row')}:`,
    ...tables.map(
      ({ schema, name, columns, excludedColumns, rows: count, bytes }) =>
        `  ${schema}.${name}: ${formatCount(count, 'row')}, ${formatBytes(bytes)} (${columns.join(', ')}` +
        `${excludedColumns.length === 0 ? '' : `; without the values of ${excludedColumns.join(', ')}`})`,
    ),
    ...list(
      'extensions',
      archive.extensions.map(({ name, version, schema }) => `${name} ${version} in ${schema}`),
    ),
    ...list('sequences', archive.sequences),
    ...list('views', archive.views),
    ...list('functions', archive.functions),
    ...list('roles', archive.roles),
    ...(archive.hasSqlAfter ? ['runs SQL of its maker at the end of deploy (after.sql)'] : []),
  ].map(toPrintable);
  return [
    ...facts,
    ...damaged.map(({ problem }) => `${mark.bad('damaged')}: ${toPrintable(problem ?? '')}`),
    ...(damaged.length === 0
      ? [`${mark.good('undamaged')}: every entry has the checksum that the manifest names`]
      : []),
  ];
}
