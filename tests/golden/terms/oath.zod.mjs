// https://envelope.example/schema/oath/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

/** an identifier is spelled `did:<method>:<name>` */
export const Did = text(0, 240, /^did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+$(?!\n)/u);

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** What a badge stands on. */
export const Pillar = z.enum(["legal", "security", "identity", "operations", "commercial"]);

/** What is attested. */
export const Claim = z.discriminatedUnion("kind", [
  /** A pillar of the badge stands. */
  z.strictObject({
    kind: z.literal("pillar"),
    /** Which. */
    pillar: Pillar,
  }),
  /** The Paper with this digest was not changed since it was compiled. */
  z.strictObject({
    /** The Paper. */
    digest: Digest,
    kind: z.literal("paper"),
  }),
]);

/** milliseconds since 1970, in UTC */
export const Timestamp = z.int().min(0).max(253402207200000);

/** What an issuer attests. */
export const Oath = z.strictObject({
  /** What. */
  claim: Claim,
  /** The digest of what it rests on. */
  evidence: Digest,
  /** The first instant at which it no longer holds. */
  expires: Timestamp,
  /** Who attests. */
  iss: Did,
  /** From when on. */
  issued: Timestamp,
  /** The key that signs it. */
  kid: text(1, 64, /^(?! )[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f]$(?!\n)/u),
  /** About whom or what. */
  sub: Did,
});

export default Oath;
