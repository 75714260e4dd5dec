import type { TestDatabase } from './database.js';

/**
 * Makes the clock of a server wrong, as far as lizsync can see: everything of it in this database that looks at the clock
 * looks at this one from now on. Call it again to set the clock.
 * @param ahead an interval of PostgreSQL, such as `1 day` or `-10 seconds`
 */
export async function setClock(database: TestDatabase, ahead: string): Promise<void> {
  await database.query(`
    create or replace function public.wrong_clock() returns timestamp with time zone language sql volatile
    as $$ select pg_catalog.clock_timestamp() + interval '${ahead}' $$`);
  await database.query(`
    do $do$
    declare
      v_definition text;
    begin
      for v_definition in
        select pg_get_functiondef(p.oid) from pg_proc as p
        where p.pronamespace in ('audit'::regnamespace, 'lizsync'::regnamespace) and p.prokind = 'f'
          and p.prosrc ~ '(?<!wrong_clock.*)clock_timestamp\\(\\)'
      loop
        execute regexp_replace(v_definition, '(pg_catalog\\.)?clock_timestamp\\(\\)', 'public.wrong_clock()', 'g');
      end loop;
    end
    $do$`);
}
