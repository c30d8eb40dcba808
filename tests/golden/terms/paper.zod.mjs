// https://envelope.example/schema/paper/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** 32 bytes are spelled as 64 lower-case hexadecimal digits */
export const HexDigits = text(0, 64, /^[0-9a-f]{64}$(?!\n)/u);

export const Label = text(0, 240, /^[^\x00-\x1f\x7f-\x9f]*$(?!\n)/u);

/** Whose keys sign for which side. */
export const Signers = z.strictObject({
  /** The ids of the buyer's keys, sorted. */
  buyer: z.array(HexDigits).min(1).max(8),
  /** The ids of the developer's keys, sorted, and none of the buyer's. */
  developer: z.array(HexDigits).min(1).max(8),
});

/** The data of a Paper. */
export const Paper = z.strictObject({
  /** Whose keys sign it and everything after it. */
  signers: Signers,
  /** Its terms as data. */
  terms: z.record(z.string(), z.unknown()),
  /** What the document is called. */
  title: Label,
});

/** The Paper, as it stands in a chain. */
export const PaperNode = z.strictObject({
  /** The data. */
  body: Paper,
  /** The root of the tree of clauses. */
  clauses: Digest,
  /** What kind of document it is. */
  kind: z.literal("paper"),
  /** The id of the document before this one; null for the first. */
  parent: z.union([
    Digest,
    z.null(),
  ]),
  /** The digest of the salted prose; for a side letter, of its sealed file. */
  prose: Digest,
  /** The place in the chain, counted from zero. */
  seq: z.int().min(0).max(9007199254740991),
});

export default PaperNode;
