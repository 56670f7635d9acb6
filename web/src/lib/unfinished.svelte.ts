/** What a reload would break off, told by the page that runs it; a check of a call tells it by itself (`check`). */
class Unfinished {
  /** Whether a clip is on its way or being checked. */
  clip = $state(false);
}

export const unfinished = new Unfinished();
