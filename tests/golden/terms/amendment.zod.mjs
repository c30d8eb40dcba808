// https://envelope.example/schema/amendment/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** One change: an operation of RFC 6902 that also names the digest of what it replaces. Any JSON Patch library can apply it. */
export const Change = z.discriminatedUnion("op", [
  /** A member that was not there. */
  z.strictObject({
    op: z.literal("add"),
    /** Where: an RFC 6901 pointer. */
    path: text(0, Infinity),
    /** The value. */
    value: z.unknown().refine((value) => value !== undefined),
  }),
  /** A member that is no longer there. */
  z.strictObject({
    /** The digest of what stood there. */
    old: Digest,
    op: z.literal("remove"),
    /** Where. */
    path: text(0, Infinity),
  }),
  /** A member with another value. */
  z.strictObject({
    /** The digest of what stood there. */
    old: Digest,
    op: z.literal("replace"),
    /** Where. */
    path: text(0, Infinity),
    /** The value. */
    value: z.unknown().refine((value) => value !== undefined),
  }),
]);

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

/** The data of an amendment. Its prose is the whole text as amended. */
export const Amendment = z.strictObject({
  /** How the terms change: an RFC 6902 patch that also names what it replaces. */
  difference: z.array(Change),
  /** The digest of the rendered change of the prose. */
  redline: Digest,
  /** Whose keys sign what comes after it, when that changes. */
  signers: Signers.optional(),
  /** What the document is called. */
  title: Label,
});

/** A change of the Paper, as it stands in a chain. */
export const AmendmentNode = z.strictObject({
  /** The data. */
  body: Amendment,
  /** The root of the tree of clauses. */
  clauses: Digest,
  /** What kind of document it is. */
  kind: z.literal("amendment"),
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

export default AmendmentNode;
