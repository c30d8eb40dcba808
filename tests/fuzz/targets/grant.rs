//! A token nobody signed never opens. Around claims that were rightly signed a grant opens only in
//! bounds, and minted again it opens as the same.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envelope_evidence::Timestamp;
use envelope_rules::grant::{
    Access, FileOp, Grant, GrantKey, GrantKeys, Holder, LIFE_SECS_MAX, Standing, mint,
};
use envelope_rules::jws::Mac;
use envelope_rules::path::Path;
use libfuzzer_sys::fuzz_target;

const KID: &str = "acme-202505-1";
const SECRET: [u8; 32] = [7; 32];

static KEYS: LazyLock<GrantKeys> = LazyLock::new(|| {
    let key = GrantKey::hs256(KID, &SECRET, Timestamp::ZERO..Timestamp::MAX).unwrap();
    GrantKeys::new(vec![key]).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::from_secs(1_748_133_600).unwrap();
    if let Ok(token) = std::str::from_utf8(bytes) {
        assert!(Grant::open(token, &KEYS, now).is_err());
    }
    let Ok(grant) = Grant::open(&signed(bytes), &KEYS, now) else { return };
    let claims = grant.claims();
    assert!(claims.iat < claims.exp && claims.exp - claims.iat <= LIFE_SECS_MAX);
    judge(&grant, now);
    let again = mint(claims, &KEYS, now).unwrap();
    assert_eq!(Grant::open(again.as_str(), &KEYS, now).unwrap().claims(), claims);
});

fn signed(claims: &[u8]) -> String {
    let header = format!(r#"{{"alg":"HS256","kid":"{KID}","typ":"grant+jwt"}}"#);
    let signed = [header.as_bytes(), claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let tag = Mac::new(&SECRET).unwrap().tag(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// What is permitted is permitted to its audience, in its time and in its place.
fn judge(grant: &Grant, now: Timestamp) {
    let claims = grant.claims();
    let path = Path::parse("rfp/draft/out.md").unwrap();
    let standing = Standing { bound_run: Some("run_1"), revoked: false };
    let holder = Holder { agent: "rfp-responder@svc", run: "run_1", standing };
    for access in [Access::Read, Access::Write] {
        if grant.check(&KEYS, &FileOp { access, path: &path }, &holder, now).is_ok() {
            let written = claims.outputs.as_ref().is_some_and(|prefix| prefix.contains(&path));
            assert!(written || access == Access::Read && claims.paths.matches(&path));
            assert!(claims.aud == holder.agent && now.secs() < claims.exp);
            assert!(claims.run.as_deref().is_none_or(|run| run == holder.run));
        }
    }
}
