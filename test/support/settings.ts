import { type ConnectionSettings, parseConnection } from '../../src/db/connection-settings.js';

/** The settings of a URL alone, without anything from the environment. */
export function toSettings(url: string): ConnectionSettings {
  return parseConnection(url, { variables: {}, homeDirectory: undefined, userName: undefined });
}
