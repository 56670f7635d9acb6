import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PAGE, Pages, type Shown } from "./desk-pages";
import type { CaseMessage, CasePageMessage } from "./wire";

const TOTAL = 1000;

function page(of: number, seq: number, total = TOTAL): CasePageMessage {
  const n = Math.max(0, Math.min(PAGE, total - of * PAGE));
  return { total, seq, cases: Array.from({ length: n }, (_, i) => ({ alert: `${of * PAGE + i}@${seq}` }) as CaseMessage) };
}

/** A service that answers when told to. */
function service(): { pages: Pages; asked: number[]; shown: Shown[]; failed: unknown[]; answer: (seq: number, total?: number) => Promise<void>; refuse: () => Promise<void> } {
  const asked: number[] = [];
  const shown: Shown[] = [];
  const failed: unknown[] = [];
  let waiting: { of: number; resolve: (page: CasePageMessage) => void; reject: (error: Error) => void }[] = [];
  const pages = new Pages(
    (of) => {
      asked.push(of);
      return new Promise((resolve, reject) => waiting.push({ of, resolve, reject }));
    },
    (next) => shown.push(next),
    (error) => failed.push(error),
  );
  const all = async (what: (one: (typeof waiting)[number]) => void): Promise<void> => {
    const now = waiting;
    waiting = [];
    now.forEach(what);
    await vi.advanceTimersByTimeAsync(0);
  };
  return {
    pages,
    asked,
    shown,
    failed,
    answer: (seq, total) => all(({ of, resolve }) => resolve(page(of, seq, total))),
    refuse: () => all(({ reject }) => reject(new Error("broken"))),
  };
}

describe("the queue's pages", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("begin with one request", async () => {
    const { pages, asked, shown, answer } = service();
    void pages.refresh();
    pages.look(0, 16);
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual([0]);
    await answer(1);
    expect(shown.at(-1)?.rows.size).toBe(PAGE);
    expect(shown.at(-1)?.total).toBe(TOTAL);
  });

  it("are fetched where somebody rests, not where a scrollbar flies over", async () => {
    const { pages, asked, answer } = service();
    void pages.refresh();
    await answer(1);
    for (let top = 100; top <= 700; top += 100) pages.look(top, top + 16);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([0, 7]);
  });

  it("are fetched anew together and shown at once; those far off are forgotten", async () => {
    const { pages, asked, shown, answer } = service();
    void pages.refresh();
    await answer(1);
    pages.look(95, 110);
    await vi.advanceTimersByTimeAsync(100);
    await answer(1);
    expect(shown.at(-1)?.rows.size).toBe(200);
    pages.look(195, 210);
    await vi.advanceTimersByTimeAsync(100);
    await answer(1);
    const before = shown.length;
    void pages.refresh();
    expect(asked.slice(-2)).toEqual([1, 2]);
    await answer(2);
    expect(shown.length).toBe(before + 1);
    expect([...(shown.at(-1)?.rows.keys() ?? [])][0]).toBe(100);
    expect(shown.at(-1)?.rows.get(100)?.alert).toBe("100@2");
  });

  it("drop an older answer that a refresh overtook, and ask again", async () => {
    const { pages, asked, shown, answer } = service();
    void pages.refresh();
    await answer(1);
    pages.look(100, 116);
    await vi.advanceTimersByTimeAsync(100);
    pages.look(0, 16);
    void pages.refresh();
    pages.look(100, 116);
    await answer(2);
    expect(shown.at(-1)?.rows.has(100)).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked.at(-1)).toBe(1);
    await answer(3);
    expect(shown.at(-1)?.rows.get(100)?.alert).toBe("100@3");
  });

  it("show every answer however fast refreshes are asked for", async () => {
    const { pages, shown, answer } = service();
    void pages.refresh();
    for (let i = 1; i <= 5; i++) {
      void pages.refresh();
      void pages.refresh();
      await answer(i);
      expect(shown.at(-1)?.seq).toBe(i);
    }
    expect(shown.length).toBe(5);
  });

  it("shrink with the queue", async () => {
    const { pages, shown, answer } = service();
    void pages.refresh();
    await answer(1);
    void pages.refresh();
    await answer(2, 3);
    expect([shown.at(-1)?.total, shown.at(-1)?.rows.size]).toEqual([3, 3]);
  });

  it("tell a failure to who waits and to the page, and keep what is shown", async () => {
    const { pages, shown, failed, answer, refuse } = service();
    void pages.refresh();
    await answer(1);
    const told = expect(pages.refresh()).rejects.toThrow("broken");
    await refuse();
    await told;
    expect(failed.length).toBe(1);
    expect(shown.length).toBe(1);
  });

  it("show nothing more once they are closed", async () => {
    const { pages, shown, failed, answer } = service();
    const asked = pages.refresh();
    pages.close();
    await answer(1);
    await asked;
    expect([shown, failed]).toEqual([[], []]);
  });
});
