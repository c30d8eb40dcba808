// https://envelope.example/schema/sealed-record/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** an id is made of lower-case letters and digits, joined by single hyphens */
export const Id = text(0, 64, /^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)/u);

/** What was delivered in one place. */
export const Delivered = z.strictObject({
  /** Which deliverable of the contract. */
  deliverable: Id,
  /** The digest of its bytes. */
  digest: Digest,
});

export const Label = text(0, 240, /^[^\x00-\x1f\x7f-\x9f]*$(?!\n)/u);

/** A file that another system recorded: evidence of what that system says. */
export const Telemetry = z.strictObject({
  /** The digest of the file. */
  digest: Digest,
  /** Who recorded it. */
  source: Label,
});

/** milliseconds since 1970, in UTC */
export const Timestamp = z.int().min(0).max(253402207200000);

/** One call and the proof that the run made it. */
export const Traced = z.strictObject({
  /** Which call. */
  index: z.int().min(0).max(9007199254740991),
  /** Its leaf hash. */
  leaf: Digest,
  /** The way to the root. */
  proof: z.array(Digest).max(54),
});

/** Some calls of one run. */
export const TraceSlice = z.strictObject({
  /** The calls. */
  calls: z.array(Traced).max(10000),
  /** How many calls there were. */
  count: z.int().min(0).max(9007199254740991),
  /** The receipt that commits to all calls of the run. */
  receipt: Digest,
  /** The root of the tree over all calls, as the receipt tells it. */
  root: Digest,
});

/** An answer of the panel. */
export const Verdict = z.enum(["refund", "release", "partial", "cannot-decide"]);

/** What the panel may read, by digest. Both parties see the same. */
export const SealedRecord = z.strictObject({
  /** What was delivered. */
  deliverables: z.array(Delivered).max(400),
  /** The dispute it was sealed for. */
  dispute: Digest,
  /** The observations. */
  observations: z.array(Digest).max(400),
  /** What may be answered, as it was frozen. */
  options: z.array(Verdict),
  /** The digests of the documents, the Paper's last. */
  papers: z.array(Digest).min(1).max(400),
  /** The question, as it was frozen. */
  question: text(1, 2000, /^(?! )[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f]$(?!\n)/u),
  /** The receipts of all runs, oldest first. */
  receipts: z.array(Digest).max(400),
  /** When it was sealed. */
  sealed: Timestamp,
  /** What others recorded about the same runs. */
  telemetry: z.array(Telemetry).max(400),
  /** The calls that matter, each proven to be in its run. */
  trace: z.array(TraceSlice).max(400),
});

export default SealedRecord;
