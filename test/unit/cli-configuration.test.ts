import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfiguration } from '../../src/cli/configuration.js';
import { UsageError } from '../../src/errors.js';

describe('the configuration file', () => {
  const startDirectory = process.cwd();
  let directory: string;
  let homeDirectory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lizsync-configuration-'));
    homeDirectory = join(directory, 'home');
    mkdirSync(join(homeDirectory, '.config', 'lizsync'), { recursive: true });
    mkdirSync(join(directory, 'work'));
    process.chdir(join(directory, 'work'));
  });

  afterEach(() => {
    process.chdir(startDirectory);
    rmSync(directory, { recursive: true });
  });

  const read = (file?: string, variables: Record<string, string> = {}) =>
    readConfiguration(file, { variables, homeDirectory, userName: 'alice' });
  const write = (text: string): string => {
    writeFileSync('lizsync.toml', text);
    return 'lizsync.toml';
  };

  test('there need not be any', () => {
    expect(read()).toEqual({});
  });

  test("the current directory's file comes before the user's own", () => {
    const own = join(homeDirectory, '.config', 'lizsync', 'lizsync.toml');
    writeFileSync(own, "clone = 'own'");
    expect(read()).toEqual({ file: own, clone: 'own' });
    write("clone = 'here'");
    expect(read().clone).toBe('here');
  });

  test('XDG_CONFIG_HOME says where the user has configuration files', () => {
    const other = join(directory, 'other');
    mkdirSync(join(other, 'lizsync'), { recursive: true });
    writeFileSync(join(other, 'lizsync', 'lizsync.toml'), "central = 'service=x'");
    expect(read(undefined, { XDG_CONFIG_HOME: other }).central).toBe('service=x');
  });

  test('a file named with --config must exist, and is the only one that counts', () => {
    write("clone = 'here'");
    expect(() => read('missing.toml')).toThrow('the configuration file missing.toml does not exist');
    writeFileSync('other.toml', "central = 'c'");
    expect(read('other.toml')).toEqual({ file: 'other.toml', central: 'c' });
  });

  test('lists may be written as one text', () => {
    expect(read(write(`schemas = 'a,b'\ntables = ['s.t', 's.u']\nexclude-columns = []`))).toMatchObject({
      schemas: ['a,b'],
      tables: ['s.t', 's.u'],
      'exclude-columns': [],
    });
  });

  test.each([
    ["centrall = 'x'", 'unknown key centrall'],
    ['central = 5', 'central must be a text'],
    ['tables = [5]', 'tables must be a list of texts'],
  ])('%s is refused', (text, message) => {
    expect(() => read(write(text))).toThrow(UsageError);
    expect(() => read('lizsync.toml')).toThrow(message);
  });

  test('an error of form names the place and never repeats the line, which may hold a password', () => {
    const file = write(`clone = 'x'\ncentral = "password=secret`);
    try {
      read(file);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toContain('lizsync.toml, line 2');
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret');
    }
  });
});
