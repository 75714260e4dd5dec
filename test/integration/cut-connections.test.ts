import { describe, expect, it } from 'vitest';
import { LizsyncError } from '../../src/errors.js';
import { startLizsync } from '../support/cli.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { type Transport, transports } from '../support/link.js';
import { expectNothingLeft, expectSynchronised } from '../support/synchronised.js';
import type { Direction, TcpProxy } from '../support/tcp-proxy.js';

/** How many places of a sync the lines are cut at, for each server and direction. LIZSYNC_TEST_CUTS=40 is thorough. */
const cutCount = Number(process.env.LIZSYNC_TEST_CUTS || 5);
const directions: Direction[] = ['toServer', 'toClient'];

/** Runs a sync that is going to fail, or nearly so, and then one that must complete the work. */
async function failAndComplete(link: FaultyLink, transport: Transport): Promise<LizsyncError | undefined> {
  const error = await link.synchronise(transport).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined) expect(error).toBeInstanceOf(LizsyncError);
  await expectCompletion(link);
  return error as LizsyncError | undefined;
}

async function expectCompletion(link: FaultyLink): Promise<void> {
  link.repair();
  await expectNothingLeft(link.central);
  await expectNothingLeft(link.clone);
  const result = await link.synchronise();
  expect(result).toMatchObject({ conflicts: 0, held: 0 });
  await expectSynchronised(link);
}

describe('a sync whose connections are cut (behaviour 3)', () => {
  it.each(transports)(
    'loses, repeats and leaves nothing behind, wherever it is cut (%s)',
    async (transport) => {
      const link = await createFaultyLink();
      await link.change();
      await link.synchronise(transport);
      link.repair();
      await link.change();
      await link.synchronise(transport);
      const cuts: { line: TcpProxy; direction: Direction; bytes: number }[] = [];
      for (const line of [link.centralLine, link.cloneLine]) {
        for (const direction of directions) {
          const all = line.passed[direction];
          for (let number = 0; number < cutCount; number += 1) {
            cuts.push({ line, direction, bytes: Math.round((all * (number + 0.5)) / cutCount) });
          }
        }
      }
      let failures = 0;
      for (const { line, direction, bytes } of cuts) {
        link.repair();
        await link.change();
        line.cutAfter(direction, bytes);
        if (await failAndComplete(link, transport)) failures += 1;
      }
      expect(failures).toBeGreaterThan(cuts.length * 0.8);
    },
    600_000,
  );

  const steps: { server: 'clone' | 'central'; text: string }[] = [
    { server: 'clone', text: 'get_clone_state' },
    { server: 'central', text: 'open_sync' },
    { server: 'clone', text: 'begin_sync' },
    { server: 'clone', text: 'start_delivery' },
    { server: 'clone', text: 'copy (' },
    { server: 'central', text: 'copy lizsync' },
    { server: 'central', text: 'receive_changes' },
    { server: 'central', text: 'start_delivery' },
    { server: 'central', text: 'copy (' },
    { server: 'clone', text: 'copy lizsync' },
    { server: 'clone', text: 'receive_changes' },
    { server: 'central', text: 'finish_sync' },
  ];

  it('completes the work when the answer to any of its steps is lost, that of a COMMIT included', async () => {
    const link = await createFaultyLink();
    for (const { server, text } of steps) {
      const line = server === 'clone' ? link.cloneLine : link.centralLine;
      await link.change();
      line.dropAnswerTo(text);
      const error = await failAndComplete(link, 'cli');
      // the clone has everything by then
      if (text !== 'finish_sync') expect(error?.message).toContain(server);
    }
  });

  it('completes the work when the clone does not hear the answer to one of its steps (sql)', async () => {
    const link = await createFaultyLink();
    for (const text of ['open_sync', 'receive_changes', 'commit', 'start_delivery', 'outgoing_changes']) {
      await link.change();
      link.centralLine.dropAnswerTo(text);
      expect(await failAndComplete(link, 'sql'), text).toBeDefined();
    }
  });

  it.each([
    { server: 'central', text: 'receive_changes' },
    { server: 'clone', text: 'receive_changes' },
  ])('completes the work when the program is killed while the $server answers $text', async ({ server, text }) => {
    const link = await createFaultyLink();
    await link.change();
    const line = server === 'clone' ? link.cloneLine : link.centralLine;
    line.stopAnswerTo(text);
    const running = await startLizsync([
      'sync',
      ...['--central', link.centralLine.urlOf(link.central)],
      ...['--clone', link.cloneLine.urlOf(link.clone)],
    ]);
    await line.failed;
    running.kill('SIGKILL');
    await running.finished;
    await expectCompletion(link);
  });
});
