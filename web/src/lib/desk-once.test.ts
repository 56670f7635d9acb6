import { describe, expect, it } from "vitest";
import { oneAtATime } from "./desk-once";

function gate(): { work: () => Promise<void>; open: (fails?: boolean) => Promise<void>; runs: () => number } {
  let runs = 0;
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  return {
    runs: () => runs,
    work: () => {
      runs++;
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    open: async (fails = false) => {
      const first = waiting.shift();
      if (fails) first?.reject(new Error("broken"));
      else first?.resolve();
      for (let i = 0; i < 9; i++) await Promise.resolve();
    },
  };
}

describe("work that is done one at a time", () => {
  it("runs once more for all who asked meanwhile", async () => {
    const { work, open, runs } = gate();
    const ask = oneAtATime(work);
    const first = ask();
    const others = [ask(), ask(), ask()];
    expect(runs()).toBe(1);
    await open();
    await first;
    expect(runs()).toBe(2);
    await open();
    await Promise.all(others);
    expect(runs()).toBe(2);
  });

  it("tells a failure to those who asked for that run, and goes on", async () => {
    const { work, open, runs } = gate();
    const ask = oneAtATime(work);
    const first = ask();
    const second = ask();
    const told = expect(first).rejects.toThrow("broken");
    await open(true);
    await told;
    expect(runs()).toBe(2);
    await open();
    await expect(second).resolves.toBeUndefined();
    void ask();
    expect(runs()).toBe(3);
  });
});
