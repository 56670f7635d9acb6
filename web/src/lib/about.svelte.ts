/** What the service says of itself that the pages' own texts depend on. */
import { peekAbout } from "./api";
import { APP } from "./strings";

class About {
  /** How long the faces of alerts are kept [days]; null until the service has said so. */
  keepFacesDays = $state<number | null>(null);
  /** What is recorded, in words; nothing is promised before it is known. */
  recorded = $derived(this.keepFacesDays === null ? "" : APP.recorded(this.keepFacesDays));

  /** Ask, unless it is known; a service that wants a token first is asked again later. */
  async load(): Promise<void> {
    if (this.keepFacesDays !== null) return;
    this.keepFacesDays = (await peekAbout())?.keep_faces_days ?? null;
  }
}

export const about = new About();
