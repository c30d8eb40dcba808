// https://envelope.example/schema/observation/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

/** The shape of a [`Verdict`]. */
export const Conformity = z.enum(["conform", "deviate", "indeterminate"]);

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** an id is made of lower-case letters and digits, joined by single hyphens */
export const Id = text(0, 64, /^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)/u);

export const Label = text(0, 240, /^[^\x00-\x1f\x7f-\x9f]*$(?!\n)/u);

/** How a criterion was checked. */
export const Method = z.enum(["output-json-schema", "file-exists", "text", "number", "evaluator", "human-review"]);

/** The one name of the event. */
export const Recorded = z.literal("CONFORMITY_OBSERVATION_RECORDED");

/** milliseconds since 1970, in UTC */
export const Timestamp = z.int().min(0).max(253402207200000);

/** One criterion, checked once. It says how, by whom and resting on what. */
export const Observation = z.strictObject({
  /** When. */
  at: Timestamp,
  /** The criterion. */
  criterion: Id,
  /** The name of the event. */
  event: Recorded,
  /** The digests it rests on. */
  evidence: z.array(Digest),
  /** How it was checked. */
  method: Method,
  /** By whom or what. */
  observer: Label,
  /** Why the verdict is what it is, in a few words. */
  reason: Label,
  /** What came of it. */
  verdict: Conformity,
});

export default Observation;
