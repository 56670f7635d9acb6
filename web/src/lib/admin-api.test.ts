import { expect, test } from "vitest";
import { hasAdmin, isValid } from "./admin-api";
import type { TokenMessage } from "./wire";

const NOW = new Date("2026-03-01T12:00:00Z");

function token(more: Partial<TokenMessage> = {}): TokenMessage {
  return {
    id: "t1",
    name: "A",
    role: "admin",
    created_at: "2026-02-01T00:00:00Z",
    created_by: "",
    expires_at: null,
    revoked_at: null,
    used_at: null,
    ...more,
  };
}

test("a token ends by being revoked or by expiring", () => {
  expect(isValid(token(), NOW)).toBe(true);
  expect(isValid(token({ expires_at: "2026-03-01T12:00:01Z" }), NOW)).toBe(true);
  expect(isValid(token({ expires_at: "2026-03-01T12:00:00Z" }), NOW)).toBe(false);
  expect(isValid(token({ revoked_at: "2026-02-02T00:00:00Z" }), NOW)).toBe(false);
});

test("only a valid administrator's token makes others possible", () => {
  expect(hasAdmin([], NOW)).toBe(false);
  expect(hasAdmin([token({ role: "analyst" })], NOW)).toBe(false);
  expect(hasAdmin([token({ revoked_at: "2026-02-02T00:00:00Z" })], NOW)).toBe(false);
  expect(hasAdmin([token({ role: "viewer" }), token()], NOW)).toBe(true);
});
