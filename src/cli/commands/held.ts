import { Command } from 'commander';
import {
  type DiscardedChange,
  discardHeldChange,
  type HeldChange,
  type HeldServers,
  listHeldChanges,
  type RetriedChanges,
  retryHeldChanges,
  type ServerHeldChanges,
} from '../../core/held.js';
import { exitCodes, UsageError } from '../../errors.js';
import {
  type CommandContext,
  type CommandRunner,
  type ConnectionOption,
  centralOption,
  cloneOption,
  describeExamples,
  type ExitCode,
} from '../command.js';
import { findCentral, findClone, resolveCentral, resolveClone } from '../connections.js';
import { formatCount } from '../format.js';
import { mark } from '../terminal.js';

interface HeldOptions {
  central?: ConnectionOption;
  clone?: ConnectionOption;
}

// values may be as long as PostgreSQL allows; a line of text and a string of Node may not
const shownValueLength = 60;
const jsonValueLength = 1_000_000;

export function createHeldCommand(run: CommandRunner): Command {
  return new Command('held')
    .summary('list the changes that could not be applied, try them again or give them up')
    .description(
      'Lists the changes that a server received and could not apply, and why. With --central all that the central holds, with ' +
        '--clone those of the clone; with both, or with neither where both are known, what the two hold of each other. Ends ' +
        'with 3 when there are any. Every sync tries them again.',
    )
    .addOption(cloneOption())
    .addOption(centralOption())
    .addHelpText(
      'after',
      describeExamples(
        'lizsync held',
        'lizsync held --central --json',
        'lizsync held retry --clone dbname=field',
        'lizsync held discard 17 --central --yes',
      ),
    )
    .action(run<HeldOptions>(listHeld))
    .addCommand(
      new Command('retry')
        .description(
          'Tries them again now, without a sync. Ends with 3 when some are still held, with 4 when a sync is running.',
        )
        .addHelpText('after', describeExamples('lizsync held retry --clone dbname=field'))
        .action(run<HeldOptions>(retryHeld)),
    )
    .addCommand(
      new Command('discard')
        .description(
          'Gives up the change with this number, held by the server that is named with --central or --clone. What that server ' +
            'has instead wins, and travels to the sender with the next sync: the row there gets the values it has here, or ' +
            'is deleted there if it is not here, or comes back if its deletion is given up. lizsync.conflicts keeps the ' +
            'values that were given up.',
        )
        .argument('<id>', 'number of the change, as lizsync held shows it')
        .option('--yes', 'really do it')
        .addHelpText('after', describeExamples('lizsync held discard 17 --central --yes'))
        .action(run<HeldOptions & { yes?: boolean }>(discardHeld)),
    );
}

async function listHeld(context: CommandContext, options: HeldOptions): Promise<ExitCode> {
  const json = context.terminal.isJson;
  const result = await listHeldChanges({
    ...(await findServers(context, options)),
    valueLength: json ? jsonValueLength : shownValueLength,
  });
  context.terminal.showResult(result, result.servers.flatMap(describeHeld));
  const count = sum(result.servers.map(({ held }) => held.length));
  if (count === 0) return exitCodes.done;
  context.terminal.warn(
    `${formatCount(count, 'change')} could not be applied and ${count === 1 ? 'is' : 'are'} held`,
    'correct what stands in their way, then: lizsync held retry; to give one up: lizsync held discard ID --central (or --clone) --yes',
  );
  return exitCodes.needsAPerson;
}

async function retryHeld(context: CommandContext, options: HeldOptions): Promise<ExitCode> {
  const result = await retryHeldChanges(await findServers(context, options), context.terminal.onProgress);
  context.terminal.showResult(result, result.servers.map(describeRetry));
  const held = sum(result.servers.map((server) => server.held));
  if (held === 0) return exitCodes.done;
  context.terminal.warn(
    `${formatCount(held, 'change')} still could not be applied and ${held === 1 ? 'is' : 'are'} held`,
    'lizsync held says which and why',
  );
  return exitCodes.needsAPerson;
}

async function discardHeld(
  context: CommandContext,
  options: HeldOptions & { yes?: boolean },
  id: string,
): Promise<ExitCode> {
  if (!/^[1-9][0-9]{0,14}$/.test(id)) {
    throw new UsageError(`${id} is not the number of a held change`, {
      hint: 'lizsync held shows the numbers',
    });
  }
  if ((options.central === undefined) === (options.clone === undefined)) {
    throw new UsageError('say which server holds the change', {
      hint: 'give either --central or --clone: each has numbers of its own',
    });
  }
  const role = options.clone === undefined ? 'central' : 'clone';
  if (options.yes !== true) {
    throw new UsageError(`a change that was given up does not come back`, {
      hint: `look at it once more with lizsync held --${role}, then: lizsync held discard ${id} --${role} --yes`,
    });
  }
  const server =
    role === 'central' ? await resolveCentral(options.central, context) : resolveClone(options.clone, context);
  const result = await discardHeldChange({ server, role, heldId: Number(id), signal: context.signal });
  context.terminal.showResult(result, describeDiscard(result));
  return exitCodes.done;
}

/** The servers that the options name; without options, those that are known. UsageError when none is. */
async function findServers(context: CommandContext, options: HeldOptions): Promise<HeldServers> {
  const { signal } = context;
  if (options.central === undefined && options.clone === undefined) {
    const clone = findClone(undefined, context);
    const central = await findCentral(undefined, context, clone);
    if (clone === undefined && central === undefined) resolveClone(undefined, context);
    return { clone, central, signal };
  }
  const clone = options.clone === undefined ? undefined : resolveClone(options.clone, context);
  const central = options.central === undefined ? undefined : await resolveCentral(options.central, context, clone);
  return { clone, central, signal };
}

function describeHeld({ role, server, held }: ServerHeldChanges): string[] {
  const count = formatCount(held.length, 'held change');
  return [
    `${role} ${server}: ${held.length > 0 ? mark.bad(count) : mark.good(count)}`,
    ...held.flatMap(describeHeldChange),
  ];
}

function describeHeldChange(change: HeldChange): string[] {
  const { heldId, action, schema, table, uid, peerName, heldSince, sqlstate, message } = change;
  const since = heldSince.toISOString().slice(0, 16).replace('T', ' ');
  return [
    `  ${heldId}: ${action} ${schema}.${table} ${uid}, from ${peerName}, held since ${since} UTC`,
    `    ${message} (${sqlstate})`,
    ...change.parts.flatMap(({ values }) =>
      values.map(({ column, value, is_shortened }) => {
        const shown = value === null ? 'null' : JSON.stringify(value);
        return `    ${column} = ${shown}${is_shortened ? '...' : ''}`;
      }),
    ),
  ];
}

function describeRetry({ role, server, tried, held }: RetriedChanges): string {
  if (tried === 0) return `${role} ${server}: nothing is held`;
  const rest = `${formatCount(held, 'change')} still held`;
  return `${role} ${server}: ${tried - held} of ${formatCount(tried, 'held change')} applied, ${held > 0 ? mark.bad(rest) : rest}`;
}

function describeDiscard(result: DiscardedChange): string[] {
  const { heldId, server, peerName, schema, table, uid, effect } = result;
  const consequences = {
    deletes: `the next sync deletes the row in ${peerName}, too`,
    restores: `the next sync brings the row back in ${peerName}`,
    overwrites: `the next sync gives the row in ${peerName} the values that it has in ${server}`,
  };
  return [
    `${mark.good('discarded')}: change ${heldId} of ${schema}.${table} ${uid}`,
    ...(effect === null ? [] : [consequences[effect]]),
  ];
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
