// jose opens {"open": [[token, key, algorithm, audience], …]}: the header and the claims, or why
// not. It signs {"sign": [[claims, key, algorithm, kid], …]}: under the header of grants, under the
// same in another order, and under its shortest.

import { readFileSync } from "node:fs";
import { errors, importJWK, jwtVerify, SignJWT } from "jose";

const opened = async ([token, jwk, algorithm, audience]) => {
  const requiredClaims = ["exp", "iat", "jti"];
  const wanted = { algorithms: [algorithm], audience, requiredClaims, typ: "grant+jwt" };
  try {
    const { protectedHeader, payload } = await jwtVerify(token, await importJWK(jwk), wanted);
    return [protectedHeader, payload];
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return error.claim ? `${error.code} ${error.claim}` : error.code;
  }
};

const signed = async ([claims, jwk, alg, kid]) => {
  const key = await importJWK(jwk);
  const sign = (header) => new SignJWT(claims).setProtectedHeader(header).sign(key);
  const typ = "grant+jwt";
  return Promise.all([{ alg, kid, typ }, { typ, alg, kid }, { alg }].map(sign));
};

const { open, sign } = JSON.parse(readFileSync(0, "utf8"));
const answers = [Promise.all(open.map(opened)), Promise.all(sign.map(signed))];
const [opens, signs] = await Promise.all(answers);
console.log(JSON.stringify({ open: opens, sign: signs }));
