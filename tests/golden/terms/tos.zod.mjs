// https://envelope.example/schema/tos/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

export const Label = text(0, 240, /^[^\x00-\x1f\x7f-\x9f]*$(?!\n)/u);

/** Terms that stand above the Paper. */
export const Standard = z.strictObject({
  /** Its terms as data. */
  terms: z.record(z.string(), z.unknown()),
  /** What the document is called. */
  title: Label,
});

/** The platform's terms of service, as they stand in a chain. */
export const TosNode = z.strictObject({
  /** The data. */
  body: Standard,
  /** The root of the tree of clauses. */
  clauses: Digest,
  /** What kind of document it is. */
  kind: z.literal("tos"),
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

export default TosNode;
