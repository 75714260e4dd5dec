import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { linkDatabases, type Transport } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { createPrivateServer } from '../support/server.js';
import { expectNothingLeft, expectSynchronised, waitForBlocked } from '../support/synchronised.js';
import type { Moment, TcpProxy } from '../support/tcp-proxy.js';

// one link for all tests: making one takes longer than most of them
let link: FaultyLink;
beforeAll(async () => {
  link = await createFaultyLink();
  await link.change();
  await link.synchronise();
});

/** The number of the last event that each server has logged. */
function countChanges(): Promise<unknown[]> {
  return Promise.all(
    [link.central, link.clone].map((database) => database.value('select last_value from audit.event_id_sequence')),
  );
}

/** Expects that nothing is left of a sync that ended early, and that the next one completes its work. */
async function expectCompletion(transport: Transport): Promise<void> {
  await expectNothingLeft(link.central);
  await expectNothingLeft(link.clone);
  expect(await link.synchronise(transport)).toMatchObject({ conflicts: 0, held: 0 });
  await expectSynchronised(link);
}

/** Expects that a further sync changes nothing, not even in the logs. */
async function expectRest(transport: Transport): Promise<void> {
  const counts = await countChanges();
  expect(await link.synchronise(transport)).toMatchObject({ pushed: 0, pulled: 0, conflicts: 0, held: 0 });
  expect(await countChanges()).toEqual(counts);
}

/** Does something at every step of a sync that goes over a line. */
async function atEachStep(
  transport: Transport,
  line: TcpProxy,
  moments: Moment[],
  interrupt: (step: number, moment: Moment) => Promise<void>,
): Promise<number> {
  await link.change();
  link.repair();
  await link.synchronise(transport);
  const { steps } = line.passed;
  for (let step = 1; step <= steps; step += 1) {
    for (const moment of moments) {
      try {
        link.repair();
        await link.change();
        await interrupt(step, moment);
        await expectCompletion(transport);
      } catch (error) {
        if (error instanceof Error) error.message = `step ${step} of ${steps}, ${moment}: ${error.message}`;
        throw error;
      }
    }
  }
  await expectRest(transport);
  return steps;
}

describe('a sync that is ended at any of its steps (behaviour 3)', () => {
  it.each(['clone', 'central'] as const)(
    'has sent every change once when it is run again after kill -9, whatever it was telling the %s',
    async (server) => {
      const line = server === 'clone' ? link.cloneLine : link.centralLine;
      const steps = await atEachStep('cli', line, ['question', 'answer'], async (step, moment) => {
        line.stopAtStep(step, moment);
        const running = await startLizsync([
          'sync',
          ...['--central', link.centralLine.urlOf(link.central)],
          ...['--clone', link.cloneLine.urlOf(link.clone)],
        ]);
        await Promise.race([
          line.failed,
          running.finished.then(({ stderr }) => {
            throw new Error(`the program ended before: ${stderr}`);
          }),
        ]);
        running.kill('SIGKILL');
        await running.finished;
        link.repair();
      });
      expect(steps).toBeGreaterThanOrEqual(6);
    },
    240_000,
  );

  /** Calls synchronize() in a transaction of its own, and does something to it while the line is at a step. */
  async function interruptCall(
    step: number,
    moment: Moment,
    interrupt: (pid: number) => Promise<unknown>,
  ): Promise<{ caller: pg.Client; error: { code?: string } | undefined }> {
    const caller = await link.clone.connect();
    await caller.query('begin');
    const { pid } = (await caller.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0] as { pid: number };
    link.centralLine.pauseAtStep(step, moment);
    const calling = caller.query('select lizsync.synchronize()').then(
      () => undefined,
      (reason: { code?: string }) => reason,
    );
    await Promise.race([
      link.centralLine.failed,
      calling.then((reason) => {
        throw new Error(`the call ended before: ${reason}`);
      }),
    ]);
    await interrupt(pid);
    link.centralLine.resume();
    return { caller, error: await calling };
  }

  it('has sent every change once when synchronize() is called again after its session was terminated', async () => {
    const steps = await atEachStep('sql', link.centralLine, ['answer'], async (step, moment) => {
      const { caller, error } = await interruptCall(step, moment, (pid) =>
        link.clone.query('select pg_terminate_backend($1)', [pid]),
      );
      expect(error).toBeDefined();
      await caller.end().catch(() => {});
    });
    expect(steps).toBeGreaterThanOrEqual(8);
  });

  it('has sent every change once when synchronize() is called again after the central has ended its session', async () => {
    const steps = await atEachStep('sql', link.centralLine, ['question', 'answer'], async (step, moment) => {
      const { caller } = await interruptCall(step, moment, async () => {
        const ended = await link.central.query(
          `select pg_terminate_backend(pid, 10000) from pg_stat_activity
           where datname = current_database() and application_name like 'lizsync%'`,
        );
        expect(ended).toHaveLength(1);
      });
      await caller.query('rollback');
      await caller.end();
    });
    expect(steps).toBeGreaterThanOrEqual(8);
  });

  it('has sent every change once when synchronize() is called again after it was cancelled and rolled back', async () => {
    const steps = await atEachStep('sql', link.centralLine, ['question'], async (step, moment) => {
      const { caller, error } = await interruptCall(step, moment, (pid) =>
        link.clone.query('select pg_cancel_backend($1)', [pid]),
      );
      expect(error).toMatchObject({ code: '57014' });
      await caller.query('rollback');
      await caller.end();
    });
    expect(steps).toBeGreaterThanOrEqual(8);
  });
});

describe('a server that crashes in the middle of a sync (behaviour 3)', () => {
  const tables = `
    create schema test;
    create table test.item (id uuid primary key default gen_random_uuid(), name text);
    insert into test.item (name) values ('first')`;

  it.each([
    { role: 'central', transport: 'cli' },
    { role: 'central', transport: 'sql' },
    { role: 'clone', transport: 'cli' },
    { role: 'clone', transport: 'sql' },
  ] as const)(
    'comes up with all or nothing of it, and the next one completes it (the $role, $transport)',
    async ({ role, transport }) => {
      const server = await createPrivateServer();
      try {
        const world = await linkDatabases(tables, { servers: { [role]: server } });
        const { central, clones, sync } = world;
        const clone = clones[0] as TestDatabase;
        const crashing = role === 'central' ? central : clone;
        let round = 0;
        // while it applies changes, and when it has applied them and is about to commit
        for (const table of ['test.item', 'lizsync.history']) {
          round += 1;
          for (const database of [central, clone]) {
            await database.query(`
              insert into test.item (name) values ('${round}, ${database.name}');
              update test.item set name = 'changed in ${round}' where name = '${round - 1}, ${database.name}'`);
          }
          const holder = await crashing.connect();
          await holder.query(`begin; lock table ${table} in exclusive mode`);
          const failing = refusal(sync(clone, transport));
          await waitForBlocked(crashing);
          await server.restart('immediate');
          await failing;
          await crashing.close();
          expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
          await expectSynchronised(world);
        }
        expect(await sync()).toMatchObject({ pushed: 0, pulled: 0 });
      } finally {
        await server.remove();
      }
    },
  );

  it.each(['central', 'clone'] as const)(
    'has kept what the other side was told it has, also where commits are not waited for (the %s)',
    async (role) => {
      const server = await createPrivateServer({ settings: { wal_writer_delay: '10s' } });
      try {
        const world = await linkDatabases(tables, { servers: { [role]: server } });
        const { central, clones, sync } = world;
        const clone = clones[0] as TestDatabase;
        const [crashing, other] = role === 'central' ? [central, clone] : [clone, central];
        await sync();
        await crashing.query(`alter database ${crashing.name} set synchronous_commit = off`);
        await crashing.close();
        await other.query(`insert into test.item (name) values ('sent')`);
        await sync();
        await crashing.close();
        await server.restart('immediate');
        expect(await sync()).toMatchObject({ conflicts: 0, held: 0 });
        expect(await crashing.value(`select count(*)::integer from test.item where name = 'sent'`)).toBe(1);
        await expectSynchronised(world);
      } finally {
        await server.remove();
      }
    },
  );
});
