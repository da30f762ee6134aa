import type { OmenDBError } from "./errors.js";

/**
 * When a call that failed is made again: while its deadline allows, what the server asks to repeat, and, where
 * repeating is safe, what found no server.
 */
export interface RetryPolicy {
  /** Whether at all. Default: true. */
  enabled: boolean;
  /** Seconds before the second attempt; each later pause is twice as long. Default: 0.05. */
  firstDelay: number;
  /** Longest pause in seconds. Default: 2. */
  maxDelay: number;
}

export const DEFAULT_RETRY: RetryPolicy = { enabled: true, firstDelay: 0.05, maxDelay: 2 };

/**
 * Seconds to wait before the next attempt; undefined: there is none.
 *
 * @param attempt attempts made so far
 * @param repeatable whether the call may be applied twice
 */
export function retryDelay(
  policy: RetryPolicy,
  error: OmenDBError,
  attempt: number,
  repeatable: boolean,
): number | undefined {
  if (!policy.enabled || (error.retryAfter === undefined && !(repeatable && foundNoServer(error)))) {
    return undefined;
  }
  const pause = Math.min(policy.maxDelay, policy.firstDelay * 2 ** Math.min(attempt - 1, 16));
  // Half of it by chance: clients that were turned away together do not come back together.
  return Math.max(error.retryAfter ?? 0, pause * (0.5 + Math.random() / 2));
}

/** A connection that breaks in the middle is INTERNAL at times, and then has no reason of the server's. */
function foundNoServer(error: OmenDBError): boolean {
  return error.code === "UNAVAILABLE" || (error.code === "INTERNAL" && error.reason === "");
}
