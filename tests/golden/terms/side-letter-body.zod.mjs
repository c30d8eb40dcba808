// https://envelope.example/schema/side-letter-body/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

/** 32 bytes are spelled as 64 lower-case hexadecimal digits */
export const HexDigits = text(0, 64, /^[0-9a-f]{64}$(?!\n)/u);

export const Label = text(0, 240, /^[^\x00-\x1f\x7f-\x9f]*$(?!\n)/u);

/** What a side letter says. Only its readers see it. */
export const SideLetterBody = z.strictObject({
  /** Its prose. */
  prose: text(0, Infinity),
  /** 32 random bytes that keep it from being guessed by its digest. */
  salt: HexDigits,
  /** What it says about terms, as data. */
  terms: z.record(z.string(), z.unknown()),
  /** What it is called. */
  title: Label,
});

export default SideLetterBody;
