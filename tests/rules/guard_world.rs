//! A run with everything it needs to be admitted, to be spoiled in one point at a time.

use std::num::NonZeroU32;

use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_rules::budget::{
    Account, Cap, Level, Meter, ModelCall, NanoUsd, PicoUsdPerUnit, Price, PriceBook, Rates,
};
use envelope_rules::content::Found;
use envelope_rules::denial::Denial;
use envelope_rules::egress::policy::{Policy, PolicyDocument};
use envelope_rules::egress::rule::{QueryRule, RuleDocument};
use envelope_rules::egress::target::Scheme;
use envelope_rules::grant::{
    Access, Claims, FileOp, Grant, GrantKey, GrantKeys, Jti, Standing, mint,
};
use envelope_rules::guard::{
    Act, Authority, Begun, Call, CapabilitySet, ModelRule, Operator, Permit, Warrant,
    WarrantDocument, admit, readmit,
};
use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::PatternSet;

pub const IAT: u64 = 1_748_133_600;
pub const EXP: u64 = IAT + 3600;

pub const RUN: &str = "run_1";

pub fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs).unwrap()
}

fn keys() -> GrantKeys {
    let live = at(IAT - 1000)..at(EXP + 86_400);
    GrantKeys::new(vec![GrantKey::hs256("acme-202505-1", &[7; 32], live).unwrap()]).unwrap()
}

/// Reads `rfp/*.pdf`, writes below `rfp/draft/`.
fn claims() -> Claims {
    Claims {
        iss: None,
        aud: "rfp-responder@svc".into(),
        run: None,
        paper: None,
        paths: PatternSet::parse(&["rfp/*.pdf"]).unwrap(),
        outputs: Some(Prefix::parse("rfp/draft/").unwrap()),
        exp: EXP,
        iat: IAT,
        jti: Jti::parse("grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT").unwrap(),
        depth: None,
        budget: None,
        prev: None,
        par: None,
        act: None,
    }
}

fn grant(claims: &Claims, keys: &GrantKeys) -> Grant {
    let token = mint(claims, keys, at(IAT)).unwrap();
    Grant::open(token.as_str(), keys, at(IAT)).unwrap()
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub fn egress(host: &str) -> PolicyDocument {
    PolicyDocument {
        rules: vec![RuleDocument {
            schemes: vec![Scheme::Https],
            host: host.to_owned(),
            ports: Vec::new(),
            methods: vec!["GET".into(), "POST".into()],
            paths: vec!["/v1/**".into()],
            query: QueryRule::None,
        }],
    }
}

pub fn prices() -> PriceBook {
    let rates = Rates {
        input: PicoUsdPerUnit::new(1_000),
        output: PicoUsdPerUnit::new(2_000),
        cache_read: None,
        cache_write: None,
        cache_write_long: None,
        reasoning: None,
    };
    let price = Price::new(rates, Vec::new(), NanoUsd::new(0).unwrap()).unwrap();
    PriceBook::new([("fast".to_owned(), price.clone()), ("large".to_owned(), price)]).unwrap()
}

pub fn document() -> WarrantDocument {
    WarrantDocument {
        v: Warrant::VERSION,
        run: label(RUN),
        agent: label("rfp-responder@svc"),
        component: Digest::of(b"component"),
        skill: label("draft"),
        paper: Some(Digest::of(b"paper")),
        deadline: at(EXP + 100),
        capabilities: CapabilitySet::all(),
        egress: egress("api.ok.example.com"),
        content: Vec::new(),
        models: vec![ModelRule { model: label("fast"), max_output: 100, nano_usd: None }],
        agents: vec![label("checker@svc")],
        budget: Cap::NONE,
        criteria: Some(Digest::of(b"criteria")),
        approvals: None,
    }
}

pub struct World {
    pub operator: Operator,
    pub warrant: Warrant,
    pub grant: Option<Grant>,
    pub keys: GrantKeys,
    pub bound_run: Option<&'static str>,
    pub revoked: bool,
    pub meter: Meter,
    pub now: Timestamp,
}

impl World {
    pub fn new() -> Self {
        Self::with_cap(Cap::NONE.with(Dimension::NanoUsd, 1_000_000).unwrap())
    }

    pub fn with_cap(cap: Cap) -> Self {
        let keys = keys();
        let chain = vec![Account::new(Level::Run, RUN.to_owned(), cap, Usage::ZERO)];
        Self {
            operator: Operator {
                capabilities: CapabilitySet::all(),
                egress: Policy::compile(egress("*.ok.example.com")).unwrap().into(),
                prices: prices(),
                content: Vec::new(),
            },
            warrant: Warrant::new(document()).unwrap(),
            grant: Some(grant(&claims(), &keys)),
            keys,
            bound_run: Some(RUN),
            revoked: false,
            meter: Meter::new(Digest::of(b"meter"), chain).unwrap(),
            now: at(IAT + 1),
        }
    }

    /// Puts another grant in the place of the run's.
    pub fn regrant(&mut self, change: impl FnOnce(&mut Claims)) {
        let mut claims = claims();
        change(&mut claims);
        self.grant = Some(grant(&claims, &self.keys));
    }

    pub fn headroom(&self) -> Usage {
        let standing = Standing { bound_run: self.bound_run, revoked: self.revoked };
        let authority = Authority {
            operator: &self.operator,
            warrant: &self.warrant,
            grant: self.grant.as_ref(),
            keys: &self.keys,
            standing,
        };
        self.meter.headroom_within(&authority.ceiling())
    }

    pub fn admit(&mut self, call: &Call<'_>) -> Result<Permit, Denial> {
        let standing = Standing { bound_run: self.bound_run, revoked: self.revoked };
        let authority = Authority {
            operator: &self.operator,
            warrant: &self.warrant,
            grant: self.grant.as_ref(),
            keys: &self.keys,
            standing,
        };
        admit(call, &authority, &mut self.meter, self.now)
    }

    pub fn readmit(&mut self, begun: &Begun, call: &Call<'_>) -> Result<Permit, Denial> {
        let standing = Standing { bound_run: self.bound_run, revoked: self.revoked };
        let authority = Authority {
            operator: &self.operator,
            warrant: &self.warrant,
            grant: self.grant.as_ref(),
            keys: &self.keys,
            standing,
        };
        readmit(begun, call, &authority, &mut self.meter, self.now)
    }

    /// The meter after a crash: what was in memory is gone, what was written is loaded.
    pub fn crash(&mut self) {
        self.meter = Meter::load(self.meter.state().clone()).unwrap();
    }

    pub fn books(&self) -> (Usage, Usage) {
        let account = &self.meter.state().accounts()[0];
        (*account.spent(), *account.held())
    }
}

pub fn call(act: Act<'_>) -> Call<'_> {
    let (worst, request) = (Usage::ZERO, Digest::of(b"request"));
    Call { act, worst, request, found: Found::NOTHING }
}

pub fn bounds(max_output: u64) -> ModelCall {
    let choices = NonZeroU32::MIN;
    ModelCall { input: 10, max_output, choices, writes_cache: false }
}

pub fn file(access: Access, path: &Path) -> Act<'_> {
    Act::File { op: FileOp { access, path }, also: None }
}
