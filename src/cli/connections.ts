import { findStoredCentral } from '../core/stored-central.js';
import { type ConnectionSettings, describeConnection, parseConnection } from '../db/connection-settings.js';
import { UsageError } from '../errors.js';
import type { CommandContext, ConnectionOption } from './command.js';

/**
 * Finds the clone: the value of --clone, then LIZSYNC_CLONE, then `clone` of the configuration file.
 * UsageError when none of them says it, or when it cannot be understood.
 */
export function resolveClone(option: ConnectionOption, context: CommandContext): ConnectionSettings {
  const clone = findClone(option, context);
  if (clone !== undefined) return clone;
  throw new UsageError('no connection to the clone is given', {
    hint:
      "say where the clone is: --clone CONNECTION, the environment variable LIZSYNC_CLONE, or in lizsync.toml: clone = 'CONNECTION'; " +
      describeForms(),
  });
}

/**
 * Finds the central: the value of --central, then LIZSYNC_CENTRAL, then `central` of the configuration file, then, for a
 * command that has one, what `clone` has stored about its central.
 * UsageError when none of them says it, or when it cannot be understood.
 */
export async function resolveCentral(
  option: ConnectionOption,
  context: CommandContext,
  clone?: ConnectionSettings,
): Promise<ConnectionSettings> {
  const central = await findCentral(option, context, clone);
  if (central !== undefined) return central;
  throw new UsageError('no connection to the central is given', {
    hint:
      'say where the central is: --central CONNECTION, the environment variable LIZSYNC_CENTRAL, or in lizsync.toml: ' +
      `central = 'CONNECTION'${clone === undefined ? '' : ' (the clone has none stored)'}; ${describeForms()}`,
  });
}

/** As resolveClone, but undefined when nothing says where the clone is. */
export function findClone(option: ConnectionOption, context: CommandContext): ConnectionSettings | undefined {
  return resolveGiven('clone', option, context);
}

/** As resolveCentral, but undefined when nothing says where the central is. */
export async function findCentral(
  option: ConnectionOption,
  context: CommandContext,
  clone?: ConnectionSettings,
): Promise<ConnectionSettings | undefined> {
  const central = resolveGiven('central', option, context);
  if (central !== undefined || clone === undefined) return central;
  const stored = await findStoredCentral(clone, context.environment);
  if (stored !== undefined) {
    context.terminal.explain(`central: ${describeConnection(stored)}, as stored in the clone`);
  }
  return stored;
}

/**
 * Reads a connection as a person writes it: as parseConnection, and a single word is the name of a database, as for psql.
 */
export function readConnection(text: string, context: CommandContext): ConnectionSettings {
  const isName = text.trim() !== '' && !/^postgres(ql)?:\/\//.test(text) && !text.includes('=');
  const conninfo = isName ? `dbname='${text.replace(/[\\']/g, (character) => `\\${character}`)}'` : text;
  return parseConnection(conninfo, context.environment);
}

function resolveGiven(
  role: 'central' | 'clone',
  option: ConnectionOption,
  context: CommandContext,
): ConnectionSettings | undefined {
  const variable = role === 'central' ? 'LIZSYNC_CENTRAL' : 'LIZSYNC_CLONE';
  const sources: [string, string | undefined][] = [
    [`--${role}`, option === true ? undefined : option],
    [variable, context.environment.variables[variable]],
    [context.configuration.file ?? 'lizsync.toml', context.configuration[role]],
  ];
  for (const [source, text] of sources) {
    if (text === undefined || text === '') continue;
    const settings = readConnection(text, context);
    context.terminal.explain(`${role}: ${describeConnection(settings)}, from ${source}`);
    return settings;
  }
  return undefined;
}

function describeForms(): string {
  return 'CONNECTION is a URI (postgresql://...), key=value text, service=NAME or the name of a database';
}
