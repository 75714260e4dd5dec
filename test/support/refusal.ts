import { expect } from 'vitest';
import { LizsyncError } from '../../src/errors.js';

/** Waits for work that must be refused, and returns the error, which is one that the program expects. */
export async function refusal(work: Promise<unknown>): Promise<LizsyncError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return error as LizsyncError;
}
