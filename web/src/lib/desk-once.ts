/** Work that is asked for more often than it can be done. Pure but for the promises. */

/**
 * Return a function that runs `work`, never twice at a time: whoever asks while it runs shares one more run after it.
 *
 * So what is shown is at most two runs old however fast events come, and no answer is thrown away for a newer question.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const ask = (): Promise<void> => {
    if (!running) {
      running = work().finally(() => (running = null));
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return ask();
      });
    return next;
  };
  return ask;
}
