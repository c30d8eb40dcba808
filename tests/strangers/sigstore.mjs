// Says of each bundle of {"keys": {id: PEM}, "files": [text, …]} whether sigstore-js accepts it,
// offline and with these keys alone.

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON, ValidationError } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from "@sigstore/verify";

const { keys, files } = JSON.parse(readFileSync(0, "utf8"));
const nothing = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = (hint) => {
  if (!Object.hasOwn(keys, hint)) throw new VerificationError({ code: "PUBLIC_KEY_ERROR" });
  return { publicKey: createPublicKey(keys[hint]), validFor: () => true };
};
const offline = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };
const verifier = new Verifier(toTrustMaterial(nothing, trusted), offline);

const accepted = (text) => {
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text))));
    return true;
  } catch (error) {
    if (error instanceof VerificationError || error instanceof ValidationError) return false;
    throw error;
  }
};
console.log(JSON.stringify(files.map(accepted)));
