//! PyJWT and jose open our grants and refuse what is no grant; what they sign as we do opens here.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envelope_evidence::key::{ForGrants, SigningKey};
use envelope_evidence::{Digest, Timestamp};
use envelope_rules::denial::Code;
use envelope_rules::grant::{Actor, Budget, Claims, Grant, GrantKey, GrantKeys, Jti, Parent, mint};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};

const AUDIENCE: &str = "rfp-responder@svc";

/// When the sample grant expires: long ago, on every clock a stranger may read.
const LONG_AGO: u64 = 1_748_137_200;

const HOUR: u64 = 3600;

/// How a stranger says why it refuses.
struct Words {
    expired: &'static str,
    audience: &'static str,
    signature: &'static str,
    algorithm: &'static str,
    /// What it says to another spelling of the signature's bytes, if it does not accept it.
    respelled: Option<&'static str>,
}

#[test]
fn pyjwt_opens_our_grants_and_we_open_its_grants() {
    let words = Words {
        expired: "ExpiredSignatureError",
        audience: "InvalidAudienceError",
        signature: "InvalidSignatureError",
        algorithm: "InvalidAlgorithmError",
        respelled: Some("DecodeError"),
    };
    exchange(&PYTHON, "grants.py", &words);
}

#[test]
fn jose_opens_our_grants_and_we_open_its_grants() {
    let words = Words {
        expired: "ERR_JWT_EXPIRED exp",
        audience: "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
        signature: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        algorithm: "ERR_JOSE_ALG_NOT_ALLOWED",
        respelled: None,
    };
    exchange(&NODE, "grants.mjs", &words);
}

fn exchange(stranger: &Stranger, script: &str, words: &Words) {
    let issuers = [Issuer::hs256(0), Issuer::ed25519(0)];
    let cases: Vec<_> = issuers.iter().flat_map(|issuer| cases(issuer, words)).collect();
    let claims = claims(now());
    let sign: Vec<_> = issuers.iter().map(|it| json!([claims, it.jwk, it.alg, it.kid])).collect();
    let open: Vec<_> = cases.iter().map(|(row, _)| row).collect();
    let Some(answers) = stranger.ask(script, &json!({"open": open, "sign": sign})) else { return };
    for ((row, wanted), answer) in cases.iter().zip(answers["open"].as_array().unwrap()) {
        assert_eq!(answer, wanted, "{script}: {row}");
    }
    for (issuer, tokens) in issuers.iter().zip(answers["sign"].as_array().unwrap()) {
        let tokens: [String; 3] = serde_json::from_value(tokens.clone()).unwrap();
        let [exact, reordered, plain] = tokens.map(|token| issuer.open(&token));
        assert_eq!(exact.unwrap().claims(), &claims, "{script}: {}", issuer.alg);
        assert_eq!(reordered.unwrap_err(), Code::GrantMalformed);
        assert_eq!(plain.unwrap_err(), Code::GrantMalformed);
    }
    println!("{script}: {} tokens judged, {} signed", cases.len(), 3 * issuers.len());
}

/// What a stranger is asked to open, and its answer.
fn cases(issuer: &Issuer, words: &Words) -> Vec<(Value, Value)> {
    let Issuer { alg, kid, .. } = issuer;
    let (ours, expired) = (claims(now()), claims(Timestamp::from_secs(LONG_AGO - HOUR).unwrap()));
    let token = issuer.mint(&ours);
    let other = if *alg == "HS256" { Issuer::hs256(1) } else { Issuer::ed25519(1) };
    let public = issuer.public();
    let row = |token: &str, audience: &str| json!([token, public, alg, audience]);
    let refused = |row: Value, why: &str| (row, json!(why));
    let opened = json!([{"alg": alg, "kid": kid, "typ": "grant+jwt"}, ours]);
    assert_eq!(issuer.open(&token).unwrap().claims(), &ours);

    let mut cases = vec![
        (row(&token, AUDIENCE), opened.clone()),
        refused(row(&token, "mallory@svc"), words.audience),
        refused(row(&issuer.mint(&expired), AUDIENCE), words.expired),
        refused(row(&widened(&token), AUDIENCE), words.signature),
        refused(json!([token, other.public(), alg, AUDIENCE]), words.signature),
        refused(json!([token, public, "HS512", AUDIENCE]), words.algorithm),
    ];
    for forged in forged(&token) {
        assert_eq!(issuer.open(&forged).unwrap_err(), Code::GrantSignature);
        cases.push(refused(row(&forged, AUDIENCE), words.signature));
    }
    // Bits that carry nothing make a second spelling, which some strangers accept. We do not.
    let respelled = respelled(&token);
    assert_eq!(issuer.open(&respelled).unwrap_err(), Code::GrantMalformed);
    cases.push((row(&respelled, AUDIENCE), words.respelled.map_or(opened, Value::from)));
    cases
}

/// An organisation with one key, which strangers know as a JSON Web Key.
struct Issuer {
    alg: &'static str,
    kid: &'static str,
    jwk: Value,
    keys: GrantKeys,
}

impl Issuer {
    fn hs256(seed: u8) -> Self {
        let (kid, secret) = ("acme-202505-1", [seed; 32]);
        let key = GrantKey::hs256(kid, &secret, Timestamp::ZERO..Timestamp::MAX);
        let jwk = json!({"kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret)});
        Self { alg: "HS256", kid, jwk, keys: GrantKeys::new(vec![key.unwrap()]).unwrap() }
    }

    fn ed25519(seed: u8) -> Self {
        let (kid, secret) = ("acme-202505-2", [seed; 32]);
        let key = SigningKey::<ForGrants>::from_secret(&secret.into());
        let jwk = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "x": URL_SAFE_NO_PAD.encode(key.public().as_bytes()),
            "d": URL_SAFE_NO_PAD.encode(secret),
        });
        let key = GrantKey::ed25519(kid, key, Timestamp::ZERO..Timestamp::MAX);
        Self { alg: "EdDSA", kid, jwk, keys: GrantKeys::new(vec![key.unwrap()]).unwrap() }
    }

    /// What is needed to open: for EdDSA not the secret part.
    fn public(&self) -> Value {
        let mut jwk = self.jwk.clone();
        drop(jwk.as_object_mut().unwrap().remove("d"));
        jwk
    }

    fn mint(&self, claims: &Claims) -> String {
        mint(claims, &self.keys, now()).unwrap().as_str().to_owned()
    }

    fn open(&self, token: &str) -> Result<Grant, Code> {
        Grant::open(token, &self.keys, now()).map_err(|denial| denial.code())
    }
}

/// A grant with every claim, issued at `iat` for an hour.
fn claims(iat: Timestamp) -> Claims {
    let jti = |number: u32| Jti::parse(&format!("grt_01HW2C{number:020}")).unwrap();
    let handed_on = Actor { sub: "planner@svc".into(), act: None };
    Claims {
        iss: Some("acme".into()),
        aud: AUDIENCE.into(),
        run: Some("run_1".into()),
        paper: Some(Digest::of(b"paper")),
        paths: PatternSet::parse(&["rfp/*.pdf", "Übersicht/**"]).unwrap(),
        outputs: Some(Prefix::parse("rfp/draft/").unwrap()),
        exp: iat.secs() + HOUR,
        iat: iat.secs(),
        jti: jti(1),
        depth: Some(1),
        budget: Some(Budget::nano_usd(5_000_000_000)),
        prev: Some(jti(0)),
        par: Some(Parent { jti: jti(2), s256: Digest::of(b"token") }),
        act: Some(Box::new(handed_on)),
    }
}

/// Strangers read the clock of the machine and take no other.
fn now() -> Timestamp {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_secs(now.as_secs()).unwrap()
}

/// `token` with wider claims under the old signature.
fn widened(token: &str) -> String {
    let [header, payload, signature] = parts(token);
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let wider = payload.replace("rfp/*.pdf", "**");
    assert_ne!(wider, payload);
    [header, &URL_SAFE_NO_PAD.encode(wider), signature].join(".")
}

/// `token` with single bits of its signature flipped, and with none.
fn forged(token: &str) -> Vec<String> {
    let [header, payload, signature] = parts(token);
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let flip = |bit: usize| {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        [header, payload, &URL_SAFE_NO_PAD.encode(bytes)].join(".")
    };
    let flipped = (0..bytes.len() * 8).step_by(5).map(flip);
    flipped.chain([[header, payload, ""].join(".")]).collect()
}

/// `token` with another last digit that stands for the same bytes.
fn respelled(token: &str) -> String {
    let (last, rest) = (token.chars().next_back().unwrap(), &token[..token.len() - 1]);
    let next = char::from(u8::try_from(last).unwrap() + 1);
    format!("{rest}{next}")
}

fn parts(token: &str) -> [&str; 3] {
    Vec::from_iter(token.split('.')).try_into().unwrap()
}
