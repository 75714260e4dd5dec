import { beforeEach, describe, expect, it } from 'vitest';
import { type CliResult, runLizsync, startLizsync } from '../support/cli.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { expectSynchronised } from '../support/synchronised.js';

let link: FaultyLink;

beforeEach(async () => {
  link = await createFaultyLink();
  await link.change();
});

function sync(...args: string[]): Promise<CliResult> {
  return runLizsync(['sync', '--clone', link.cloneLine.urlOf(link.clone), ...args]);
}

function centralOption(): string[] {
  return ['--central', link.centralLine.urlOf(link.central)];
}

describe('lizsync sync --retry', () => {
  it.each([
    ['before a transaction of the central commits', 'open_sync'],
    ['when the central has committed and nobody heard of it', 'receive_changes'],
  ])('goes on after a connection was cut %s', async (_, text) => {
    link.centralLine.dropAnswerTo(text);
    const result = await sync(...centralOption(), '--retry', '2');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(/trying again in 1 s, 1 of 2 \(.+\)/);
    await expectSynchronised(link);
  });

  it('goes on when the connection of the clone to the central was cut', async () => {
    link.centralLine.dropAnswerTo('receive_changes');
    const result = await sync('--via-clone', '--retry', '1');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(link.centralLine.hasFailed()).toBe(true);
    await expectSynchronised(link);
  });

  it('is silent about it with --quiet, so that cron has nothing to mail', async () => {
    link.cloneLine.dropAnswerTo('get_clone_state');
    expect(await sync(...centralOption(), '--retry', '1', '--quiet')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(link.cloneLine.hasFailed()).toBe(true);
  });

  it('does not try again by itself', async () => {
    link.centralLine.dropAnswerTo('open_sync');
    const result = await sync(...centralOption());
    expect(result.code).toBe(1);
    expect(result.stderr).not.toContain('trying again');
  });

  it('gives up after so many attempts', async () => {
    const nowhere = ['--central', 'postgresql://alice@127.0.0.1:1/nowhere?connect_timeout=2'];
    const result = await sync(...nowhere, '--retry', '2');
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('connection refused') });
    expect(result.stderr.match(/trying again in/g)).toHaveLength(2);
  });

  it('does not try again what would fail again: a wrong password, a refusal', async () => {
    const wrong = new URL(link.central.url);
    wrong.password = 'wrong';
    const denied = await sync('--central', wrong.href, '--retry', '5');
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining('password') });
    expect(denied.stderr).not.toContain('trying again');
    const refused = await sync('--central', link.clone.url, '--retry', '5');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is not a central') });
    expect(refused.stderr).not.toContain('trying again');
  });

  it('can be interrupted while it waits', async () => {
    const nowhere = ['--central', 'postgresql://alice@127.0.0.1:1/nowhere?connect_timeout=2'];
    const args = ['sync', '--clone', link.clone.url, ...nowhere, '--retry', '100'];
    const running = await startLizsync(args);
    await running.seen(/trying again in \d+ s, 2 of 100/);
    running.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130, stderr: expect.stringContaining('interrupted') });
  });

  it('wants a number', async () => {
    expect(await sync('--retry', 'often')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('often is not a number'),
    });
  });
});
