import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { UsageError } from '../errors.js';
import type { ConnectionSettings } from './connection-settings.js';

/** Where systems keep the certificate authorities they trust, those of the organisation included. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * What TLS must check for these settings, with libpq's meaning of sslmode: allow, prefer and require encrypt without
 * checking whom one talks to, except that require with a root certificate checks like verify-ca; verify-ca checks the
 * chain of the certificate; verify-full its host name too.
 *
 * @throws UsageError when a certificate or key that is needed is missing, unreadable or readable by others
 */
export function buildTlsOptions(settings: ConnectionSettings): ConnectionOptions {
  const { sslmode } = settings;
  const verifies = sslmode === 'verify-ca' || sslmode === 'verify-full';
  const ca = verifies || sslmode === 'require' ? readAuthorities(settings, verifies) : undefined;
  const revoked = verifies || ca !== undefined ? findFile(settings, settings.sslcrl, 'root.crl') : undefined;
  return {
    minVersion: settings.sslMinimumVersion ?? 'TLSv1.2',
    ...(settings.sslMaximumVersion === undefined ? {} : { maxVersion: settings.sslMaximumVersion }),
    ...(ca === undefined ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ca }),
    ...(sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(revoked === undefined ? {} : { crl: read(revoked, 'sslcrl') }),
    ...readClientCertificate(settings),
  };
}

function readAuthorities(settings: ConnectionSettings, needed: boolean): string[] | undefined {
  if (settings.sslrootcert === 'system') {
    const bundle = systemBundles.find((file) => existsSync(file));
    return bundle === undefined ? [...rootCertificates] : [...rootCertificates, read(bundle, 'sslrootcert')];
  }
  const file = findFile(settings, settings.sslrootcert, 'root.crt');
  if (file !== undefined) return [read(file, 'sslrootcert')];
  if (!needed) return undefined;
  throw new UsageError(`sslmode ${settings.sslmode} needs a root certificate, and there is none`, {
    hint:
      `Save the certificate of the server's authority as ${path.join(settings.sslDirectory ?? '~/.postgresql', 'root.crt')}, ` +
      'name it with sslrootcert=FILE, or trust the authorities of the system with sslrootcert=system.',
  });
}

function readClientCertificate(settings: ConnectionSettings): ConnectionOptions {
  if (settings.sslcertmode === 'disable') return {};
  const certificate = findFile(settings, settings.sslcert, 'postgresql.crt');
  if (certificate === undefined) {
    if (settings.sslcertmode !== 'require') return {};
    throw new UsageError('sslcertmode=require needs a client certificate, and there is none', {
      hint: 'Name it with sslcert=FILE and its key with sslkey=FILE.',
    });
  }
  const key = findFile(settings, settings.sslkey, 'postgresql.key');
  if (key === undefined) {
    throw new UsageError(`the client certificate "${certificate}" has no key`, { hint: 'Name it with sslkey=FILE.' });
  }
  const { mode, uid } = statSync(key);
  // A key that belongs to root may be readable by a group, as libpq allows for keys that a system shares.
  if (process.platform !== 'win32' && (mode & (uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw new UsageError(`the key "${key}" can be read by others`, { hint: `Run: chmod 600 "${key}"` });
  }
  return {
    cert: read(certificate, 'sslcert'),
    key: read(key, 'sslkey'),
    ...(settings.sslpassword === undefined ? {} : { passphrase: settings.sslpassword }),
  };
}

/** A file that was named must exist; one in the default place may be missing. */
function findFile(settings: ConnectionSettings, named: string | undefined, name: string): string | undefined {
  if (named !== undefined) {
    if (existsSync(named)) return named;
    throw new UsageError(`the file "${named}" of the connection does not exist`);
  }
  const file = settings.sslDirectory === undefined ? undefined : path.join(settings.sslDirectory, name);
  return file !== undefined && existsSync(file) ? file : undefined;
}

function read(file: string, keyword: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`the file "${file}" (${keyword}) cannot be read: ${(cause as Error).message}`, { cause });
  }
}
