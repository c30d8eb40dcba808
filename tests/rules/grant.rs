//! The six checks, and what can come of a grant: never more than was in it.

mod look;
mod properties;

use envelope_evidence::key::SigningKey;
use envelope_evidence::{Digest, Timestamp};
use envelope_rules::denial::{Code, Denial, WitCase};
use envelope_rules::grant::{
    Access, Budget, Ceiling, Claims, DEPTH_MAX, Expansion, FileOp, Grant, GrantKey, GrantKeys,
    Holder, IAT_LEEWAY_SECS, Jti, LIFE_SECS_MAX, Standing, Wish, delegate, expand, mint,
};
use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::PatternSet;

pub(super) const KID: &str = "acme-202505-1";
pub(super) const IAT: u64 = 1_748_133_600;
pub(super) const EXP: u64 = 1_748_137_200;
const AGENT: &str = "rfp-responder@svc";
const RUN: &str = "run_1";

/// The sample grant under [`secret`], made with Python's standard library.
pub(super) const SAMPLE: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFjbWUtMjAyNTA1LTEiLCJ0eXAiOiJncmFudCtqd3QifQ.",
    "eyJhdWQiOiJyZnAtcmVzcG9uZGVyQHN2YyIsInBhdGhzIjpbInJmcC8qLnBkZiJdLCJvdXRwdXRzIjoicmZwL2RyYW",
    "Z0LyIsImV4cCI6MTc0ODEzNzIwMCwiaWF0IjoxNzQ4MTMzNjAwLCJqdGkiOiJncnRfMDFIVzJDUVo1QjNZSjhWMEs0T",
    "TZON1A5UlQifQ.7w0jkCX1fW9RP4BP67CnrrCAXXVOqqy9DdvmoXqFFno",
);

pub(super) fn secret() -> [u8; 32] {
    std::array::from_fn(|index| u8::try_from(index).unwrap())
}

pub(super) fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs).unwrap()
}

/// The key of the sample, alive around it.
pub(super) fn keys() -> GrantKeys {
    let live = at(IAT - 1000)..at(EXP + 10 * LIFE_SECS_MAX);
    GrantKeys::new(vec![GrantKey::hs256(KID, &secret(), live).unwrap()]).unwrap()
}

pub(super) fn code<T: std::fmt::Debug>(result: Result<T, Denial>) -> Code {
    result.unwrap_err().code()
}

fn jti(number: u32) -> Jti {
    Jti::parse(&format!("grt_01HW2C{number:020}")).unwrap()
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn paths(texts: &[&str]) -> PatternSet {
    PatternSet::parse(texts).unwrap()
}

fn outputs(text: &str) -> Option<Prefix> {
    Some(Prefix::parse(text).unwrap())
}

fn claims() -> Claims {
    Claims {
        iss: Some("acme".into()),
        aud: AGENT.into(),
        run: None,
        paper: Some(Digest::of(b"paper")),
        paths: paths(&["rfp/*.pdf"]),
        outputs: outputs("rfp/draft/"),
        exp: EXP,
        iat: IAT,
        jti: jti(0),
        depth: Some(0),
        budget: Some(Budget::nano_usd(5_000_000_000)),
        prev: None,
        par: None,
        act: None,
    }
}

fn grant(claims: &Claims) -> Grant {
    let token = mint(claims, &keys(), at(claims.iat)).unwrap();
    Grant::open(token.as_str(), &keys(), at(claims.iat)).unwrap()
}

const STANDING: Standing<'_> = Standing { bound_run: Some(RUN), revoked: false };
const HOLDER: Holder<'_> = Holder { agent: AGENT, run: RUN, standing: STANDING };

fn judge(grant: &Grant, access: Access, text: &str, now: u64) -> Result<(), Denial> {
    grant.check(&keys(), &FileOp { access, path: &path(text) }, &HOLDER, at(now))
}

#[test]
fn the_sample_lives_until_the_second_before_it_expires() {
    let grant = Grant::open(SAMPLE, &keys(), at(IAT)).unwrap();
    assert_eq!((grant.claims().iat, grant.claims().exp), (IAT, EXP));
    assert_eq!(grant.claims().outputs, outputs("rfp/draft/"));
    assert_eq!(grant.claims().jti.as_str(), "grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT");
    assert_eq!(grant.token_digest(), Digest::of(SAMPLE.as_bytes()));
    assert_eq!(judge(&grant, Access::Read, "rfp/a.pdf", EXP - 1), Ok(()));
    for now in [EXP, EXP + 1] {
        let denial = judge(&grant, Access::Read, "rfp/a.pdf", now).unwrap_err();
        assert_eq!(denial.code(), Code::GrantExpired);
        assert!(denial.row().status == 401 && denial.row().scope_helps);
    }
    let last = Timestamp::from_millis(EXP * 1000 - 1).unwrap();
    let op = FileOp { access: Access::Read, path: &path("rfp/a.pdf") };
    assert_eq!(grant.check(&keys(), &op, &HOLDER, last), Ok(()));
}

#[test]
fn we_spell_the_sample_as_others_do() {
    let sample = Grant::open(SAMPLE, &keys(), at(IAT)).unwrap();
    let token = mint(sample.claims(), &keys(), at(IAT)).unwrap();
    assert_eq!(token.as_str(), SAMPLE);
}

#[test]
fn a_grant_of_the_future_waits() {
    let grant = grant(&claims());
    let judge = |now| judge(&grant, Access::Read, "rfp/a.pdf", now);
    assert_eq!(judge(IAT - IAT_LEEWAY_SECS), Ok(()));
    assert_eq!(code(judge(IAT - IAT_LEEWAY_SECS - 1)), Code::GrantEarly);
}

#[test]
fn looks_reads_and_writes() {
    let grant = grant(&claims());
    for (access, text, wanted) in [
        (Access::Look, "rfp/a.pdf", None),
        (Access::Look, "rfp", None),
        (Access::Look, "rfp/draft", None),
        (Access::Look, "rfp/draft/sub", None),
        (Access::Look, "rfp/sub", Some(Code::PathOutside)),
        (Access::Look, "rfp/drafts", Some(Code::PathOutside)),
        (Access::Look, "rf", Some(Code::PathOutside)),
        (Access::Look, "hr", Some(Code::PathOutside)),
        (Access::Read, "rfp", Some(Code::PathOutside)),
        (Access::Read, "rfp/a.pdf", None),
        (Access::Read, "rfp/sub/a.pdf", Some(Code::PathOutside)),
        (Access::Read, "rfp/A.PDF", Some(Code::PathOutside)),
        (Access::Read, "rfp/draft/out.md", None),
        (Access::Read, "rfp/draft", Some(Code::PathOutside)),
        (Access::Write, "rfp/draft/out.md", None),
        (Access::Write, "rfp/draft/sub/out.md", None),
        (Access::Write, "rfp/draft", Some(Code::OutputsOutside)),
        (Access::Write, "rfp/drafts/out.md", Some(Code::OutputsOutside)),
        (Access::Write, "rfp/a.pdf", Some(Code::OutputsOutside)),
    ] {
        let answer = judge(&grant, access, text, IAT);
        assert_eq!(answer.err().map(|denial| denial.code()), wanted, "{access:?} {text}");
    }
}

#[test]
fn without_outputs_nothing_is_written() {
    let reader = grant(&Claims { outputs: None, ..claims() });
    assert_eq!(judge(&reader, Access::Read, "rfp/a.pdf", IAT), Ok(()));
    let answer = judge(&reader, Access::Write, "rfp/draft/out.md", IAT);
    assert_eq!(code(answer), Code::OutputsOutside);
}

/// One operation, and everything that can be wrong with it.
#[derive(Clone, Copy)]
struct Scene<'a> {
    keys: &'a GrantKeys,
    op: FileOp<'a>,
    holder: Holder<'a>,
    now: u64,
}

impl Scene<'_> {
    fn judge(&self, grant: &Grant) -> Result<(), Denial> {
        grant.check(self.keys, &self.op, &self.holder, at(self.now))
    }
}

/// Each fault alone gives its own denial with its own status; together, the earliest check speaks.
#[test]
fn six_checks_in_their_order() {
    type Fault<'a> = (Code, u16, WitCase, Box<dyn Fn(&mut Scene<'a>) + 'a>);
    let (good, none) = (keys(), GrantKeys::default());
    let live = at(IAT)..at(EXP + 1);
    let other = GrantKeys::new(vec![GrantKey::hs256(KID, &[9; 32], live).unwrap()]).unwrap();
    let (inside, outside, written) = (path("rfp/a.pdf"), path("hr/a.pdf"), path("rfp/draft/a"));
    let grant = grant(&claims());
    let standing = |bound_run, revoked| Standing { bound_run, revoked };
    for (access, fitting, place) in [
        (Access::Look, &inside, Code::PathOutside),
        (Access::Read, &inside, Code::PathOutside),
        (Access::Write, &written, Code::OutputsOutside),
    ] {
        let scene =
            Scene { keys: &good, op: FileOp { access, path: fitting }, holder: HOLDER, now: IAT };
        assert_eq!(scene.judge(&grant), Ok(()));
        let faults: [Fault<'_>; 8] = [
            (Code::GrantKey, 401, WitCase::Grant, Box::new(|s| s.keys = &none)),
            (Code::GrantSignature, 401, WitCase::Grant, Box::new(|s| s.keys = &other)),
            (
                Code::GrantAudience,
                401,
                WitCase::Grant,
                Box::new(|s| s.holder.agent = "mallory@svc"),
            ),
            (Code::GrantExpired, 401, WitCase::Grant, Box::new(|s| s.now = EXP)),
            (place, 403, WitCase::Grant, Box::new(|s| s.op.path = &outside)),
            (
                Code::GrantRevoked,
                401,
                WitCase::Revoked,
                Box::new(move |s| {
                    s.holder.standing = standing(Some(RUN), true);
                }),
            ),
            (
                Code::GrantUsed,
                401,
                WitCase::Revoked,
                Box::new(move |s| {
                    s.holder.standing = standing(Some("run_2"), s.holder.standing.revoked);
                }),
            ),
            (
                Code::GrantUnredeemed,
                401,
                WitCase::Grant,
                Box::new(move |s| {
                    s.holder.standing = standing(None, s.holder.standing.revoked);
                }),
            ),
        ];
        for (index, (code_alone, status, wit, fault)) in faults.iter().enumerate() {
            let mut alone = scene;
            fault(&mut alone);
            let denial = alone.judge(&grant).unwrap_err();
            assert_eq!((denial.code(), denial.row().status), (*code_alone, *status));
            assert_eq!(denial.row().wit, *wit);
            let mut together = scene;
            for (_, _, _, later) in faults.iter().skip(index).rev() {
                later(&mut together);
            }
            assert_eq!(code(together.judge(&grant)), *code_alone, "with all that follow");
        }
    }
}

#[test]
fn opening_for_an_operation_judges_it() {
    let token = mint(&claims(), &keys(), at(IAT)).unwrap();
    let (inside, outside) = (path("rfp/a.pdf"), path("hr/a.pdf"));
    let open = |path, holder: &Holder<'_>, now| {
        let op = FileOp { access: Access::Read, path };
        Grant::open_for(token.as_str(), &keys(), &op, holder, at(now)).map(|_| ())
    };
    assert_eq!(open(&inside, &HOLDER, IAT), Ok(()));
    assert_eq!(code(open(&outside, &HOLDER, IAT)), Code::PathOutside);
    assert_eq!(code(open(&inside, &HOLDER, EXP)), Code::GrantExpired);
    let unbound = Holder { standing: Standing { bound_run: None, ..STANDING }, ..HOLDER };
    assert_eq!(code(open(&inside, &unbound, IAT)), Code::GrantUnredeemed);
}

#[test]
fn nothing_is_remembered_between_operations() {
    let grant = grant(&claims());
    let op = FileOp { access: Access::Read, path: &path("rfp/a.pdf") };
    let revoked = Holder { standing: Standing { revoked: true, ..STANDING }, ..HOLDER };
    let short = at(IAT - 1000)..at(IAT + 100);
    let retired = GrantKeys::new(vec![GrantKey::hs256(KID, &secret(), short).unwrap()]).unwrap();
    assert_eq!(grant.check(&retired, &op, &HOLDER, at(IAT)), Ok(()));
    assert_eq!(code(grant.check(&keys(), &op, &revoked, at(IAT + 1))), Code::GrantRevoked);
    assert_eq!(code(grant.check(&retired, &op, &HOLDER, at(IAT + 100))), Code::GrantKey);
    assert_eq!(grant.check(&keys(), &op, &HOLDER, at(IAT + 100)), Ok(()));
}

#[test]
fn a_grant_for_one_run_serves_no_other() {
    let bound = grant(&Claims { run: Some("run_2".into()), ..claims() });
    assert_eq!(code(judge(&bound, Access::Read, "rfp/a.pdf", IAT)), Code::GrantUsed);
    let bound = grant(&Claims { run: Some(RUN.into()), ..claims() });
    assert_eq!(judge(&bound, Access::Read, "rfp/a.pdf", IAT), Ok(()));
}

#[test]
fn permitting_allocates_nothing() {
    let live = at(IAT)..at(EXP);
    let hs256 = keys();
    let ed25519 =
        GrantKey::ed25519("acme-ed", SigningKey::from_secret(&[3; 32].into()), live).unwrap();
    let ed25519 = GrantKeys::new(vec![ed25519]).unwrap();
    let (read, written) = (path("rfp/a.pdf"), path("rfp/draft/a"));
    let (folder, outputs, root) = (path("rfp"), path("rfp/draft"), Path::root());
    for keys in [&hs256, &ed25519] {
        let token = mint(&claims(), keys, at(IAT)).unwrap();
        let grant = Grant::open(token.as_str(), keys, at(IAT)).unwrap();
        for op in [
            FileOp { access: Access::Look, path: &folder },
            FileOp { access: Access::Look, path: &outputs },
            FileOp { access: Access::Look, path: &root },
            FileOp { access: Access::Read, path: &read },
            FileOp { access: Access::Write, path: &written },
        ] {
            let mut answer = Err(Denial::new(Code::Forbidden, ""));
            let info = allocation_counter::measure(|| {
                answer = grant.check(keys, &op, &HOLDER, at(IAT));
            });
            assert_eq!((answer, info.count_total), (Ok(()), 0));
        }
    }
}

#[test]
fn tokens_and_secrets_are_not_printed() {
    let token = mint(&claims(), &keys(), at(IAT)).unwrap();
    let signature = token.as_str().rsplit_once('.').unwrap().1;
    let grant = Grant::open(token.as_str(), &keys(), at(IAT)).unwrap();
    let printed = format!("{token:?} {grant:?} {:?}", keys());
    assert!(printed.contains(AGENT) && printed.contains(KID));
    assert!(
        !printed.contains(signature) && !printed.contains("eyJ") && !printed.contains("0, 1, 2")
    );
}

#[test]
fn keys_rotate_by_overlap() {
    let secret = |byte| [byte; 32];
    let key = |kid, byte, live| GrantKey::hs256(kid, &secret(byte), live).unwrap();
    let old = || key("k1", 1, at(IAT)..at(IAT + 200));
    let new = || key("k2", 2, at(IAT + 100)..at(IAT + 300));
    let ring = || GrantKeys::new(vec![old(), new()]).unwrap();
    let first = mint(&claims(), &ring(), at(IAT)).unwrap();
    let second = mint(&claims(), &ring(), at(IAT + 100)).unwrap();
    let open = |token: &str, now| Grant::open(token, &ring(), at(now)).map(|_| ());
    assert_eq!(open(first.as_str(), IAT + 199), Ok(()));
    assert_eq!(code(open(first.as_str(), IAT + 200)), Code::GrantKey);
    assert_eq!(open(second.as_str(), IAT + 200), Ok(()));
    assert_eq!(code(open(second.as_str(), IAT + 99)), Code::GrantKey);
    let alone = |key| GrantKeys::new(vec![key]).unwrap();
    assert!(Grant::open(second.as_str(), &alone(new()), at(IAT + 150)).is_ok());
    assert_eq!(code(Grant::open(second.as_str(), &alone(old()), at(IAT + 150))), Code::GrantKey);
    assert_eq!(code(mint(&claims(), &ring(), at(IAT + 300))), Code::GrantKey);
    assert!(GrantKeys::new(vec![old(), new(), old()]).is_err());
}

fn wish(paths_wished: &[&str], under: Option<&str>) -> Wish {
    Wish {
        jti: jti(1),
        aud: "reader@svc".into(),
        run: Some("run_child".into()),
        paths: paths(paths_wished),
        outputs: under.map(|text| Prefix::parse(text).unwrap()),
        exp: EXP,
        nano_usd: 1_000,
    }
}

#[test]
fn a_child_holds_a_part_of_its_parent() {
    let parent = grant(&claims());
    let wished = wish(&["rfp/a*.pdf", "rfp/draft/*.md"], Some("rfp/draft/notes/"));
    let token = delegate(&parent, wished, 1_000, &HOLDER, &keys(), at(IAT + 60)).unwrap();
    let child = Grant::open(token.as_str(), &keys(), at(IAT + 60)).unwrap();
    let claims = child.claims();
    assert_eq!((&*claims.aud, claims.iat, claims.depth), ("reader@svc", IAT + 60, Some(1)));
    assert_eq!((claims.paper, claims.iss.as_deref()), (Some(Digest::of(b"paper")), Some("acme")));
    assert_eq!(claims.budget, Some(Budget::nano_usd(1_000)));
    let par = claims.par.as_ref().unwrap();
    assert_eq!((&par.jti, par.s256), (&jti(0), parent.token_digest()));
    assert_eq!(claims.act.as_ref().unwrap().sub, AGENT);
}

#[test]
fn every_way_to_ask_for_more_is_refused() {
    let parent = grant(&claims());
    let ask = |change: &dyn Fn(&mut Wish), remaining, holder: &Holder<'_>, now| {
        let mut wish = wish(&["rfp/a*.pdf"], Some("rfp/draft/"));
        change(&mut wish);
        delegate(&parent, wish, remaining, holder, &keys(), at(now)).map(|_| ())
    };
    let plenty = u64::MAX;
    assert_eq!(ask(&|_| (), plenty, &HOLDER, IAT), Ok(()));
    for change in [
        &(|wish: &mut Wish| wish.paths = paths(&["rfp/*"])) as &dyn Fn(&mut Wish),
        &|wish| wish.paths = paths(&["rfp/a.pdf", "hr/a.pdf"]),
        &|wish| wish.outputs = outputs("rfp/"),
        &|wish| wish.outputs = outputs("rfp/drafts/"),
        &|wish| wish.exp = EXP + 1,
        &|wish| wish.nano_usd = 5_000_000_001,
    ] {
        assert_eq!(code(ask(change, plenty, &HOLDER, IAT)), Code::DelegationWider);
    }
    let spend = |wish: &mut Wish| wish.nano_usd = 100;
    assert_eq!(ask(&spend, 100, &HOLDER, IAT), Ok(()));
    assert_eq!(code(ask(&spend, 99, &HOLDER, IAT)), Code::DelegationWider);
    assert_eq!(code(ask(&|wish| wish.jti = jti(0), plenty, &HOLDER, IAT)), Code::GrantMalformed);
    assert_eq!(code(ask(&|wish| wish.aud.clear(), plenty, &HOLDER, IAT)), Code::GrantMalformed);
    assert_eq!(code(ask(&|_| (), plenty, &HOLDER, EXP)), Code::GrantExpired);
    let other = Holder { agent: "mallory@svc", ..HOLDER };
    assert_eq!(code(ask(&|_| (), plenty, &other, IAT)), Code::GrantAudience);
    let revoked = Holder { standing: Standing { revoked: true, ..STANDING }, ..HOLDER };
    assert_eq!(code(ask(&|_| (), plenty, &revoked, IAT)), Code::GrantRevoked);
    let unbound = Holder { standing: Standing { bound_run: None, ..STANDING }, ..HOLDER };
    assert_eq!(code(ask(&|_| (), plenty, &unbound, IAT)), Code::GrantUnredeemed);
    let reader = grant(&Claims { outputs: None, ..claims() });
    let writing = wish(&[], Some("rfp/draft/"));
    let answer = delegate(&reader, writing, plenty, &HOLDER, &keys(), at(IAT));
    assert_eq!(code(answer), Code::DelegationWider);
}

#[test]
fn a_chain_ends_at_its_limit() {
    let mut holder = grant(&claims());
    for depth in 1..=DEPTH_MAX + 1 {
        let wish =
            Wish { jti: jti(depth), aud: AGENT.into(), run: None, ..wish(&["rfp/a.pdf"], None) };
        let token = delegate(&holder, wish, 1_000, &HOLDER, &keys(), at(IAT));
        if depth > DEPTH_MAX {
            assert_eq!(code(token), Code::DelegationDepth);
            return;
        }
        holder = Grant::open(token.unwrap().as_str(), &keys(), at(IAT)).unwrap();
        assert_eq!(holder.claims().depth, Some(depth));
    }
}

fn expansion() -> Expansion {
    Expansion {
        jti: jti(2),
        paths: paths(&["rfp/**", "hr/cv.pdf"]),
        outputs: outputs("rfp/"),
        exp: EXP + 600,
        budget: Some(Budget::nano_usd(9_000_000_000)),
        approval: "apr_1".into(),
    }
}

#[test]
fn a_wider_grant_replaces_the_old_one() {
    let old = grant(&claims());
    let (all, root) = (paths(&["**"]), Prefix::parse("rfp/").unwrap());
    let open = Ceiling { paths: &all, outputs: Some(&root), exp: u64::MAX, budget: None };
    let expand = |wider, holder: &Holder<'_>, now| {
        expand(&old, wider, [open, open], holder, &keys(), at(now))
    };
    let rotation = expand(expansion(), &HOLDER, EXP).unwrap();
    assert_eq!((rotation.revoke, &*rotation.approval), (jti(0), "apr_1"));
    let new = Grant::open(rotation.token.as_str(), &keys(), at(EXP)).unwrap();
    assert_eq!(new.claims().prev, Some(jti(0)));
    assert_eq!((&new.claims().jti, &new.claims().aud), (&jti(2), &old.claims().aud));
    assert_eq!(new.claims().run.as_deref(), Some(RUN), "no other run can redeem it");
    assert_eq!(judge(&new, Access::Read, "hr/cv.pdf", EXP), Ok(()));
    assert_eq!(code(judge(&old, Access::Read, "hr/cv.pdf", IAT)), Code::PathOutside);

    let refused = |wider, holder: &Holder<'_>| code(expand(wider, holder, IAT));
    let silent = Expansion { approval: String::new(), ..expansion() };
    assert_eq!(refused(silent, &HOLDER), Code::NotGranted);
    assert_eq!(refused(Expansion { jti: jti(0), ..expansion() }, &HOLDER), Code::GrantMalformed);
    let long = Expansion { exp: IAT + LIFE_SECS_MAX + 1, ..expansion() };
    assert_eq!(refused(long, &HOLDER), Code::GrantLifetime);
    let other = Holder { agent: "mallory@svc", ..HOLDER };
    assert_eq!(refused(expansion(), &other), Code::GrantAudience);
    let elsewhere = Holder { run: "run_2", ..HOLDER };
    assert_eq!(refused(expansion(), &elsewhere), Code::GrantUsed);
    let revoked = Holder { standing: Standing { revoked: true, ..STANDING }, ..HOLDER };
    assert_eq!(refused(expansion(), &revoked), Code::GrantRevoked);
    let unbound = Holder { standing: Standing { bound_run: None, ..STANDING }, ..HOLDER };
    assert_eq!(refused(expansion(), &unbound), Code::GrantUnredeemed);
}

#[test]
fn an_approval_stays_below_operator_and_paper() {
    let old = grant(&claims());
    let (exact, narrow) = (paths(&["rfp/**", "hr/*"]), paths(&["rfp/*", "hr/*"]));
    let (root, draft) = (Prefix::parse("rfp/").unwrap(), Prefix::parse("rfp/draft/").unwrap());
    let budget = Some(Budget::nano_usd(9_000_000_000));
    let wide = Ceiling { paths: &exact, outputs: Some(&root), exp: EXP + 600, budget };
    let answer = |wider, ceilings| {
        expand(&old, wider, ceilings, &HOLDER, &keys(), at(IAT)).map(|_| ()).map_err(|d| d.code())
    };
    assert_eq!(answer(expansion(), [wide, wide]), Ok(()));
    let written = Ceiling { paths: &narrow, ..wide };
    assert_eq!(answer(expansion(), [wide, written]), Ok(()), "outputs are readable");
    let less = Some(Budget::nano_usd(8_999_999_999));
    for tight in [
        Ceiling { paths: &narrow, outputs: Some(&draft), ..wide },
        Ceiling { outputs: Some(&draft), ..wide },
        Ceiling { outputs: None, ..wide },
        Ceiling { exp: EXP + 599, ..wide },
        Ceiling { budget: less, ..wide },
    ] {
        assert_eq!(answer(expansion(), [tight, wide]), Err(Code::Forbidden), "{tight:?}");
        assert_eq!(answer(expansion(), [wide, tight]), Err(Code::Forbidden), "{tight:?}");
    }
    let unlimited = Expansion { budget: None, ..expansion() };
    assert_eq!(answer(unlimited, [wide, wide]), Err(Code::Forbidden));
}
