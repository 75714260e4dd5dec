import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { Environment } from '../db/connection-settings.js';
import { UsageError } from '../errors.js';

/** What lizsync.toml may say; every value is the default of the option with the same name. */
export interface Configuration {
  /** The file that was read; undefined: there is none. */
  file?: string | undefined;
  central?: string | undefined;
  clone?: string | undefined;
  schemas?: string[] | undefined;
  tables?: string[] | undefined;
  'exclude-columns'?: string[] | undefined;
}

const textKeys = ['central', 'clone'] as const;
const listKeys = ['schemas', 'tables', 'exclude-columns'] as const;

/**
 * Reads the configuration: `file` if given (it must exist), else lizsync.toml of the current directory, else the user's
 * own ($XDG_CONFIG_HOME/lizsync/lizsync.toml, ~/.config/lizsync/lizsync.toml), else nothing.
 * UsageError for a file that cannot be read or has unknown keys.
 */
export function readConfiguration(file: string | undefined, environment: Environment): Configuration {
  if (file !== undefined) {
    const text = readIfPresent(file);
    if (text === undefined) {
      throw new UsageError(`the configuration file ${file} does not exist`, { hint: 'check the path after --config' });
    }
    return parseConfiguration(text, file);
  }
  const { variables, homeDirectory } = environment;
  const ownDirectory = variables.XDG_CONFIG_HOME || (homeDirectory && join(homeDirectory, '.config'));
  const candidates = [resolve('lizsync.toml')];
  if (ownDirectory) candidates.push(join(ownDirectory, 'lizsync', 'lizsync.toml'));
  for (const candidate of candidates) {
    const text = readIfPresent(candidate);
    if (text !== undefined) return parseConfiguration(text, candidate);
  }
  return {};
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError(`cannot read the configuration file ${file}: ${code}`, { cause: error });
  }
}

function parseConfiguration(text: string, file: string): Configuration {
  let values: Record<string, unknown>;
  try {
    values = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // the message of the parser quotes the line, and a line may hold a password
    const reason = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '');
    throw new UsageError(`${file}, line ${error.line}, column ${error.column}: ${reason}`);
  }
  const configuration: Configuration = { file };
  for (const [key, value] of Object.entries(values)) {
    if (includes(textKeys, key)) {
      if (typeof value !== 'string') throw new UsageError(`${file}: ${key} must be a text`);
      configuration[key] = value;
    } else if (includes(listKeys, key)) {
      const list = typeof value === 'string' ? [value] : value;
      if (!isTextList(list)) throw new UsageError(`${file}: ${key} must be a list of texts, as ["a", "b"]`);
      configuration[key] = list;
    } else {
      throw new UsageError(`${file}: unknown key ${key}`, {
        hint: `known keys: ${[...textKeys, ...listKeys].join(', ')}`,
      });
    }
  }
  return configuration;
}

function includes<Key extends string>(keys: readonly Key[], key: string): key is Key {
  return (keys as readonly string[]).includes(key);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
