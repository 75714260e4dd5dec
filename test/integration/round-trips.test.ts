import { describe, expect, it } from 'vitest';
import { withConnection } from '../../src/db/connection.js';
import { createFaultyLink } from '../support/faulty-link.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised } from '../support/synchronised.js';

describe('a sync over a slow line', () => {
  it('asks each server eight times at most after it has connected, however many changes there are', async () => {
    const link = await createFaultyLink();
    const { central, clone, centralLine, cloneLine } = link;
    await central.query(`insert into test.item (name, number) select 'common', n from generate_series(1, 2000) as n`);
    await link.synchronise();

    link.repair();
    for (const [line, server] of [
      [centralLine, central],
      [cloneLine, clone],
    ] as const) {
      await withConnection(toSettings(line.urlOf(server)), async () => {});
    }
    const connecting = { central: centralLine.passed.turns, clone: cloneLine.passed.turns };

    const counts: { central: number; clone: number }[] = [];
    for (const most of [1, 2000]) {
      await central.query('update test.item set name = $1 where number <= $2', [`central ${most}`, most]);
      await clone.query('update test.item set other = $1 where number <= $1', [most]);
      link.repair();
      expect(await link.synchronise()).toMatchObject({ pushed: most, pulled: most, conflicts: 0, held: 0 });
      counts.push({
        central: centralLine.passed.turns - connecting.central,
        clone: cloneLine.passed.turns - connecting.clone,
      });
    }
    expect(counts[1]).toEqual(counts[0]);
    expect(Math.max(...Object.values(counts[0] ?? {}))).toBeLessThanOrEqual(8);
    await expectSynchronised(link);
  });
});
