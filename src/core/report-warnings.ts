import type { ConnectionOptions } from '../db/connection.js';
import type { ProgressCallback } from './progress.js';

/** Makes the listener of a connection that passes on the warnings which functions of lizsync raise; other notices are left out. */
export function reportWarnings(onProgress: ProgressCallback): NonNullable<ConnectionOptions['onNotice']> {
  return ({ severity, message, hint }) => {
    if (severity === 'WARNING') onProgress({ kind: 'warning', text: message, ...(hint === undefined ? {} : { hint }) });
  };
}
