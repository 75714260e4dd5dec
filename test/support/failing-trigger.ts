import type { TestDatabase } from './database.js';

/**
 * Lets a trigger of a user raise an error, as often as wanted, also for what a sync applies to test.item. A sequence counts
 * the failures: it does not roll back.
 */
export async function failOnInsert(database: TestDatabase, sqlstate: string, times: number): Promise<void> {
  await database.query(`
    create sequence public.failures;
    create function public.fail() returns trigger language plpgsql as $$
    begin
      if nextval('public.failures') <= ${times} then
        raise exception using errcode = '${sqlstate}', message = 'on demand';
      end if;
      return new;
    end $$;
    create trigger fail before insert on test.item for each row execute function public.fail();
    alter table test.item enable always trigger fail`);
}

/** How often the trigger was asked. */
export async function countFailures(database: TestDatabase): Promise<number> {
  return Number(await database.value('select last_value from public.failures'));
}

/** Takes the trigger away, if it is there. */
export async function stopFailing(database: TestDatabase): Promise<void> {
  await database.query('drop function if exists public.fail cascade; drop sequence if exists public.failures');
}
