import { DatabaseError } from '../db/postgres-error.js';
import { LizsyncError } from '../errors.js';

/**
 * Makes an error of a statement point at the file it came from: file, line, column, the line itself and a caret.
 * Errors without a position keep their message, with the name of the file before it; others than of the server are
 * returned unchanged.
 * @param text what was executed: the whole file
 */
export function locateSqlError(error: unknown, file: string, text: string): unknown {
  if (!(error instanceof DatabaseError) || error.isConnectionFailure) return error;
  const options = { hint: error.hint, exitCode: error.exitCode, cause: error };
  if (error.position === undefined) {
    return new LizsyncError(`${file}: ${error.message}`, { ...options, details: error.details });
  }
  // PostgreSQL counts characters, JavaScript UTF-16 units
  const before = Array.from(text)
    .slice(0, error.position - 1)
    .join('');
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineNumber = before.split('\n').length;
  const column = Array.from(before.slice(lineStart)).length + 1;
  const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
  const margin = `${lineNumber} | `;
  // tabs are kept, so that the caret stands below its character
  const indent = `${margin.replace(/./g, ' ')}${before.slice(lineStart).replace(/[^\t]/gu, ' ')}`;
  return new LizsyncError(`${file}:${lineNumber}:${column}: ${error.message}`, {
    ...options,
    details: [`${margin}${line}`, `${indent}^`, ...error.details],
  });
}
