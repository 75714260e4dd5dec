/**
 * Copies a result with the keys of all its plain objects in snake_case (`clockOffsetMs` becomes `clock_offset_ms`);
 * values stay as they are, a bigint becomes a number.
 */
export function toSnakeCaseKeys(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toSnakeCaseKeys);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      toSnakeCaseKeys(inner),
    ]),
  );
}
