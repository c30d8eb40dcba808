// What jose makes of what the house signs, with the keys that it serves:
// {"tokens": [[token, JWKS], …], "envelopes": [[DSSE envelope, JWKS], …]}.

import { readFileSync } from "node:fs";
import { createLocalJWKSet, errors, jwtVerify } from "jose";

const opened = async ([token, keys]) => {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { algorithms: ["EdDSA"] });
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return error.code;
  }
};

const unsealed = async ([envelope, keys]) => {
  const body = Buffer.from(envelope.payload, "base64");
  const [{ keyid, sig }] = envelope.signatures;
  const start = `DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${body.length} `;
  const message = Buffer.concat([Buffer.from(start), body]);
  try {
    const key = await createLocalJWKSet(keys)({ alg: "EdDSA", kid: keyid });
    const holds = await crypto.subtle.verify("Ed25519", key, Buffer.from(sig, "base64"), message);
    return holds ? JSON.parse(body) : "Refused";
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return error.code;
  }
};

const { tokens, envelopes } = JSON.parse(readFileSync(0, "utf8"));
const answers = [Promise.all(tokens.map(opened)), Promise.all(envelopes.map(unsealed))];
const [opens, unseals] = await Promise.all(answers);
console.log(JSON.stringify({ tokens: opens, envelopes: unseals }));
