import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type DeployOptions, type DeployResult, deploy } from '../../src/core/deploy.js';
import { type CreatePackageOptions, type CreatePackageResult, createPackage } from '../../src/core/package.js';
import { prepareCentral } from '../../src/core/prepare-central.js';
import type { ProgressCallback, ProgressEvent } from '../../src/core/progress.js';
import { upgrade } from '../../src/core/upgrade.js';
import { createDatabase, prepareTemplate, type TestDatabase } from './database.js';
import { getCloneServer, getTestServer } from './server.js';
import { toSettings } from './settings.js';

/** A folder that goes at the end of the test. */
export async function createFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface CentralOptions {
  schemas?: string[];
  excludeColumns?: Parameters<typeof prepareCentral>[0]['excludeColumns'];
  /** SQL that runs before lizsync is installed, for instance to create extensions elsewhere. */
  beforeInstallation?: string;
}

/** A central with tables made by SQL, all tables of the schemas prepared. */
export async function createCentral(sql: string, options: CentralOptions = {}): Promise<TestDatabase> {
  const { schemas = ['test'], excludeColumns, beforeInstallation } = options;
  const central = beforeInstallation === undefined ? await copyCentral() : await installCentral(beforeInstallation);
  await central.query(sql);
  await prepareCentral({
    central: toSettings(central.url),
    schemas,
    tables: [],
    ...(excludeColumns === undefined ? {} : { excludeColumns }),
  });
  return central;
}

async function installCentral(sql: string): Promise<TestDatabase> {
  const central = await createDatabase(getTestServer(), { name: 'central' });
  await central.query(sql);
  await upgrade(toSettings(central.url), { role: 'central', install: true, dryRun: false });
  return central;
}

/** A copy of an installed central is quicker than an installation; it gets an identity of its own. */
async function copyCentral(): Promise<TestDatabase> {
  const template = await prepareTemplate(getTestServer(), 'installed_central', async (database) => {
    await upgrade(toSettings(database.url), { role: 'central', install: true, serverName: 'central', dryRun: false });
  });
  const central = await createDatabase(getTestServer(), { name: 'central', template });
  await central.query(`
    update lizsync.server_metadata set server_id = gen_random_uuid(),
      database_oid = (select oid from pg_database where datname = current_database())`);
  return central;
}

/** An empty database on the server of the clones. */
export function createEmptyClone(): Promise<TestDatabase> {
  return createDatabase(getCloneServer(), { name: 'clone' });
}

/** Packages a schema of a central, by default `test`, into a folder of its own. */
export async function packageTables(
  central: TestDatabase,
  options: Partial<Omit<CreatePackageOptions, 'central'>> = {},
  onProgress?: ProgressCallback,
): Promise<CreatePackageResult> {
  const output = options.output ?? path.join(await createFolder(), 'package.zip');
  return createPackage({ schemas: ['test'], ...options, central: toSettings(central.url), output }, onProgress);
}

export function deployTo(
  clone: TestDatabase,
  central: TestDatabase,
  archive: string,
  options: Partial<Omit<DeployOptions, 'archive' | 'central' | 'clone'>> = {},
  onProgress?: ProgressCallback,
): Promise<DeployResult> {
  return deploy({ ...options, archive, central: toSettings(central.url), clone: toSettings(clone.url) }, onProgress);
}

/** True or not with the servers that the tests run on, whatever is deployed. */
const aboutServers = /^the clone's PostgreSQL \d+ is older than the central's \d+$/;

/** Collects what the user is warned about. */
export function collectWarnings(): { warnings: string[]; onProgress: ProgressCallback } {
  const warnings: string[] = [];
  return {
    warnings,
    onProgress: (event: ProgressEvent) => {
      if (event.kind === 'warning' && !aboutServers.test(event.text)) warnings.push(event.text);
    },
  };
}
