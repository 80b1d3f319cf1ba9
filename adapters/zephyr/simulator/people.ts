/** Users as the API knows them: account ids only. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import type { SimOwner } from "./types.ts";

/** The second one left the company; both spellings with and without `:` occur. */
export const ACCOUNTS: readonly string[] = [
  "557058:16240000-aaaa-4bbb-8ccc-1234567890ab",
  "5b10a2844c20165700ede21g",
  "712020:0c9d8e7f-1111-2222-3333-444455556666",
  "60d5ecb0a7b3d40071a1b2c3",
  "557058:abc",
  "qm:1f2e3d4c-0000-4000-8000-00000000c0de",
];

/** An owner; sometimes none, sometimes one whose account was removed. */
export function owner(random: Random): SimOwner {
  const draw = random.next();
  if (draw < 0.08) return null;
  if (draw < 0.14) return { accountId: null };
  if (draw < 0.17) return undefined;
  return { accountId: random.pick(ACCOUNTS) };
}

/** One of null, a missing key and, for texts, "" – or the value. */
export function sometimes<T>(random: Random, value: T, emptyShare: number): T | null | undefined {
  const draw = random.next();
  if (draw >= emptyShare) return value;
  if (typeof value === "string" && draw < emptyShare * 0.3) return "" as T;
  return draw < emptyShare * 0.75 ? null : undefined;
}

const days = new Map<number, string>();

/** An instant with second precision; days are kept, formatting one is what costs. */
export function iso(ms: number): string {
  const day = Math.floor(ms / 86_400_000);
  let date = days.get(day);
  if (date === undefined) {
    date = new Date(day * 86_400_000).toISOString().slice(0, 11);
    days.set(day, date);
  }
  const seconds = Math.floor((ms - day * 86_400_000) / 1000);
  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);
  const hours = two(Math.floor(seconds / 3600));
  return `${date}${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}Z`;
}
