/** The part of pgpass that finds a line in an open password file; the package has no types of its own. */
declare module 'pgpass/lib/helper.js' {
  import type { Readable } from 'node:stream';

  const helper: {
    getPassword(
      connection: { host: string; port: number; database: string; user: string },
      file: Readable,
      callback: (password: string | undefined) => void,
    ): void;
  };
  export default helper;
}
