/** Attachments: which owner has which, and their bytes. @module */
import { hashNumbers, hashText, type Random, randomBytes } from "../../simulator_kit/mod.ts";
import { type Context, FIRST_ID } from "./context.ts";
import type { SimAttachment, SimAttachmentOwner } from "./types.ts";

const NAMES = [
  "screenshot.png",
  "log.txt",
  "Messprotokoll Größe.pdf",
  "100% done.csv",
  "trace (final) v2.zip",
  "データ.xlsx",
];
/** Every trap a file name or size can be, on one case. */
const SPECIAL: [string, number][] = [
  ["panel.png", 4_321],
  ["panel.png", 5_000],
  ["100%25 & more #1?.txt", 2_048],
  ["  spaces  in name .log", 1_024],
  ["ünï-日本-😀.pdf", 9_999],
  ["empty.txt", 0],
  ["film.mp4", 1_500_000],
  ["no_extension", 1],
  ['quote"semi;colon.csv', 333],
];

/** Files of the owner at `index` of its kind, whether or not its step exists. */
export function makeAttachments(
  context: Context,
  owner: SimAttachmentOwner,
  index: number,
): SimAttachment[] {
  // Ids of generated steps say where in its script a step stands.
  const step = (owner.stepId ?? 0) % 1000;
  if (context.lean || (step > 1 && step !== 100)) return [];
  const random = context.random(`files ${owner.kind} ${step}`, index);
  if (owner.kind === "testCase" && index === 0) {
    return SPECIAL.map(([name, size], n) => ({ id: FIRST_ID + n, name, size, owner }));
  }
  const count = fileCount(owner.kind, index, step, random);
  return Array.from({ length: count }, (_, n) => ({
    id: FIRST_ID + index * 10 + n,
    name: random.pick(NAMES),
    size: random.int(1_000, 20_000),
    owner,
  }));
}

function fileCount(
  kind: SimAttachmentOwner["kind"],
  index: number,
  step: number,
  random: Random,
): number {
  switch (kind) {
    case "testCase":
      return random.chance(0.08) ? random.int(1, 2) : 0;
    case "testStep":
      // The second page of steps has one too.
      return (index % 20 === 0 && step === 0) || (index === 3 && step === 100) ? 1 : 0;
    case "testCycle":
      return index < 2 ? 1 + index : 0;
    case "testPlan":
      return index === 0 || index === 3 ? 2 : 0;
    case "execution":
      return random.chance(0.03) ? random.int(1, 2) : 0;
    case "executionStep":
      return step < 2 && random.chance(0.01) ? 1 : 0;
  }
}

/** Bytes of a file: the right magic number for pictures, else noise, always the same. */
export function makeAttachmentBytes(seed: number, file: SimAttachment): Uint8Array<ArrayBuffer> {
  const owner = `${file.owner.kind}/${file.owner.id}/${file.owner.stepId ?? ""}`;
  const bytes = randomBytes(hashNumbers(seed, hashText(owner), file.id), file.size);
  const magic = file.name.endsWith(".png") ? [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] : [];
  bytes.set(magic.slice(0, bytes.length));
  return bytes;
}

/** Text that names an owner, for maps. */
export function attachmentOwnerKey(owner: SimAttachmentOwner): string {
  return `${owner.kind}/${owner.id}/${owner.stepId ?? ""}`;
}
