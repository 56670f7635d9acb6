/** What the service says of itself that the pages' own texts depend on. */
import { peekAbout } from "./api";
import { APP } from "./strings";

class About {
  /** How long the faces of alerts are kept [days]; null until the service has said so. */
  keepFacesDays = $state<number | null>(null);
  keepAudio = $state(false);
  /** What is recorded, in words; nothing is promised before it is known. */
  recorded = $derived(this.keepFacesDays === null ? "" : APP.recorded(this.keepFacesDays, this.keepAudio));

  /** Ask, unless it is known; a service that wants a token first is asked again later. */
  async load(): Promise<void> {
    if (this.keepFacesDays !== null) return;
    const about = await peekAbout();
    this.keepAudio = about?.keep_audio ?? false;
    this.keepFacesDays = about?.keep_faces_days ?? null;
  }
}

export const about = new About();
