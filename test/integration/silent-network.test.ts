import { beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, type RunningCli, startLizsync } from '../support/cli.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { expectNothingLeft, expectSynchronised } from '../support/synchronised.js';
import type { TcpProxy } from '../support/tcp-proxy.js';

let link: FaultyLink;
beforeAll(async () => {
  link = await createFaultyLink();
  await link.change();
  await link.synchronise();
});

/** A minute, if nothing else is said: nobody wants to wait so long in a test. */
function urlOf(line: TcpProxy, database: { url: string }): string {
  const url = new URL(line.urlOf(database));
  url.searchParams.set('tcp_user_timeout', '600');
  url.searchParams.set('connect_timeout', '2');
  return url.href;
}

function startSync(...args: string[]): Promise<RunningCli> {
  return startLizsync(
    [
      'sync',
      ...['--central', urlOf(link.centralLine, link.central)],
      ...['--clone', urlOf(link.cloneLine, link.clone)],
      ...args,
    ],
    { timeout: 30_000 },
  );
}

async function sync(): Promise<CliResult> {
  return (await startSync()).finished;
}

describe('a network that falls silent during a sync (behaviour 12)', () => {
  const places = [
    { server: 'clone', text: 'get_clone_state', at: 'question' },
    { server: 'central', text: 'open_sync', at: 'answer' },
    { server: 'clone', text: 'copy (', at: 'answer' },
    { server: 'central', text: 'copy lizsync', at: 'question' },
    { server: 'central', text: 'receive_changes', at: 'answer' },
    { server: 'central', text: 'copy (', at: 'question' },
    { server: 'clone', text: 'receive_changes', at: 'answer' },
  ] as const;

  it('ends it with an error that names the server, and the next sync completes it, wherever that is', async () => {
    for (const { server, text, at } of places) {
      await link.change();
      const line = server === 'clone' ? link.cloneLine : link.centralLine;
      if (at === 'question') line.stopBefore(text);
      else line.stopAnswerTo(text);
      const startedAt = Date.now();
      const result = await sync();
      const where = `${server}, ${at} ${text}: ${result.stderr}`;
      expect(line.hasFailed(), where).toBe(true);
      expect(result, where).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr, where).toMatch(new RegExp(`${server} \\(.*no answer from the server`, 's'));
      expect(Date.now() - startedAt, where).toBeLessThan(15_000);
      link.repair();
      await expectNothingLeft(link.central);
      await expectNothingLeft(link.clone);
      expect(await link.synchronise()).toMatchObject({ conflicts: 0, held: 0 });
      await expectSynchronised(link);
    }
  });

  it('is a connection error, which --retry tries again', async () => {
    await link.change();
    link.centralLine.stopBefore('receive_changes');
    const running = await startSync('--retry', '1');
    await running.seen(/no answer from the server.*trying again|trying again.*no answer from the server/);
    link.repair();
    expect(await running.finished).toMatchObject({ code: 0 });
    await expectSynchronised(link);
  });

  it('before it has begun is an error after connect_timeout', async () => {
    link.centralLine.stopBefore('\0user\0');
    const result = await sync();
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/could not connect to central|timeout|no answer/);
    link.repair();
  });
});
