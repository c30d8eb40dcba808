//! Random trees of calls: no child exceeds its parent in anything, and no money comes from nowhere.

use std::sync::Arc;

use envelope_evidence::journal::{Child, Event, Journal, Rotation, Scope};
use envelope_evidence::{Dimension, Usage};
use envelope_gate::desk::Decision;
use envelope_gate::net::Network;
use envelope_rules::approval::Request;
use envelope_rules::guard::Warrant;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use super::reach::{Reach, means, request};
use super::town::{Town, own_calls, town};
use crate::chance::Chance;
use crate::engine::approvals::office::{Office, Says, ada, bea_narrows, no, wanted};
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, settings};

fn pick<'a>(chance: &mut Chance, from: &[&'a str]) -> &'a str {
    from[chance.index(from.len())]
}

/// A caller with some callees, each with some acts and callees of its own. Between its calls it
/// asks humans for more.
fn tree(chance: &mut Chance, authority: &str) -> String {
    let mut acts = Vec::new();
    for _ in 0..3 {
        acts.push(pick(chance, &WISHES).to_owned());
        let inner: Vec<_> = (0..2).map(|_| callee(chance, "call-small", &LEAF)).collect();
        let inner: Vec<_> = inner.iter().map(|act| act.replace('|', "^")).collect();
        let chat = pick(chance, &CHATS);
        let send = request(chance, authority);
        let ask = "widen secret/* - - - 0 60";
        let leaf =
            ["read in/a.txt", "insist 9 now", chat, chat, &send, &send, ask, &inner[0], &inner[1]];
        acts.push(callee(chance, "call-deep", &leaf));
    }
    acts.join("; ")
}

/// What the one at the root asks for: files, a wider place to write, hosts, money, and nothing.
const WISHES: [&str; 7] = [
    "widen secret/*,top.txt - - - 0 600",
    "widen - out/ - - 0 30",
    "widen - - api.example.org - 0 90",
    "widen - - - - 3000000 600",
    "widen ** - - - 500000 5",
    "choose red|green",
    "now",
];

const CHATS: [&str; 2] = ["chat stub/a 200 Why?", "chat stub/b 200 Why?"];

const LEAF: [&str; 5] = ["now", "read secret/key.txt", "write out/a/x y", CHATS[0], CHATS[1]];

fn callee(chance: &mut Chance, verb: &str, acts: &[&str]) -> String {
    let agent = pick(chance, &["helper@local", "guests@local", "stranger@local"]);
    let files = pick(chance, &["in/**", "in/a.txt", "secret/*", "top.txt", "**", "-"]);
    let outputs = pick(chance, &["out/", "out/a/", "out/a/b/", "in/", "-"]);
    let calls = pick(chance, &["0", "1", "5", "20", "400"]);
    let ttl = pick(chance, &["1", "60", "100000"]);
    let nano = pick(chance, &["0", "7", "700000+9000", "900000+9000", "4000000+9000"]);
    let acts: Vec<_> = (0..3).map(|_| pick(chance, acts)).collect();
    format!("{verb} {agent} {files} {outputs} {ttl} {nano} {calls} {}", acts.join("|"))
}

fn patterns(child: &Child) -> PatternSet {
    let texts: Vec<_> = child.scope.paths.iter().map(|path| path.as_str()).collect();
    PatternSet::parse(&texts).unwrap()
}

const MONEY: [Dimension; 4] =
    [Dimension::NanoUsd, Dimension::Tokens, Dimension::Bytes, Dimension::Calls];

/// What a run holds at one place of its record: its first grant, or what a human made of it.
struct Held {
    scope: Scope,
    budget: Usage,
    reach: Reach,
}

impl Held {
    fn of(journal: &Journal, warrant: Arc<Warrant>) -> Self {
        let header = journal.header();
        assert_eq!(header.warrant, warrant.digest());
        let reach = Reach::of(warrant);
        Self { scope: header.scope.clone().unwrap(), budget: header.budget, reach }
    }

    /// The same after a human's word.
    fn grown(&self, first: Usage, rotation: &Rotation) -> Self {
        let more = rotation.beside.as_ref().map_or(0, |beside| beside.nano_usd);
        let most = |row, more| first.get(row).checked_add(more).unwrap();
        // Money that was allowed and spent stays spent: the most that ever was allowed counts.
        let nano_usd = most(Dimension::NanoUsd, more).max(self.budget.get(Dimension::NanoUsd));
        let budget = self.budget.with(Dimension::NanoUsd, nano_usd).unwrap();
        // Tokens are counted with the money that pays for them.
        let tokens = if more > 0 { u64::MAX >> 20 } else { budget.get(Dimension::Tokens) };
        let budget = budget.with(Dimension::Tokens, tokens).unwrap();
        let reach = self.reach.grown(rotation);
        Self { scope: rotation.scope.clone(), budget, reach }
    }

    fn readable(&self) -> PatternSet {
        let mut texts: Vec<_> = self.scope.paths.iter().map(|path| path.as_str()).collect();
        let below = format!("{}**", self.scope.outputs.as_str());
        texts.extend(Some(below.as_str()).filter(|_| !self.scope.outputs.as_str().is_empty()));
        PatternSet::parse(&texts).unwrap()
    }

    /// No child holds more.
    fn holds(&self, child: &Child) {
        let scope = &self.scope;
        assert!(patterns(child).within(&self.readable()), "{child:?} of {scope:?}");
        let outputs = child.scope.outputs.as_str();
        if !outputs.is_empty() {
            let parent = Prefix::parse(scope.outputs.as_str()).unwrap();
            assert!(Prefix::parse(outputs).unwrap().within(&parent), "{child:?}");
        }
        assert!(child.scope.expires <= scope.expires);
        assert_eq!(child.scope.depth, scope.depth + 1);
        assert_eq!(child.scope.parent.as_ref(), Some(&scope.jti), "of the grant held then");
        for dimension in MONEY {
            let (reserved, used) = (child.reserved.get(dimension), child.used.get(dimension));
            assert!(reserved <= self.budget.get(dimension), "{dimension:?}: {child:?}");
            assert!(used <= reserved, "{dimension:?}");
        }
    }
}

/// What was found in some trees.
#[derive(Debug, Default)]
struct Counts {
    /// Who is reached by those that may.
    authority: String,
    runs: usize,
    denied: usize,
    grown: usize,
    /// Children that hold files or money which only a human's word gave their parents.
    owed: usize,
    /// What models cost below the root.
    paid: u64,
    /// Destinations that are open to children, and those that are only to their parents.
    open: usize,
    shut: usize,
}

impl Counts {
    /// Walks the tree below `journal`.
    fn walk(&mut self, town: &Town, journal: &Journal, warrant: &Arc<Warrant>) {
        let first = Held::of(journal, Arc::clone(warrant));
        let (mut held, mut sum) = (Held::of(journal, Arc::clone(warrant)), Usage::ZERO);
        self.runs += 1;
        for entry in journal.entries() {
            let Event::Answered(answered) = &entry.event else { continue };
            if let Some(rotation) = &answered.rotation {
                assert_eq!(journal.header().caller.run, None, "no callee grows by itself");
                held = held.grown(first.budget, rotation);
                self.grown += 1;
            }
            let Some(child) = answered.child.as_deref() else { continue };
            held.holds(child);
            let money = |usage: &Usage| usage.get(Dimension::NanoUsd);
            self.owed += usize::from(
                !patterns(child).within(&first.readable())
                    || money(&child.reserved) > money(&first.budget),
            );
            let (callee, theirs) = (town.journal_of(&child.run), town.warrant_of(&child.run));
            assert_eq!(theirs.digest(), child.warrant);
            let (open, shut) = held.reach.holds(&theirs, &self.authority);
            (self.open, self.shut) = (self.open + open, self.shut + shut);
            assert_eq!(callee.header().budget, child.reserved);
            assert_eq!(callee.used(), child.used);
            assert!(child.scope.expires <= town.deadline().secs());
            sum = sum.checked_add(child.used).unwrap();
            self.walk(town, &callee, &theirs);
        }
        self.balance(journal, &sum, &held);
    }

    /// What a run used is what it used itself, and what its callees used: `sum`.
    fn balance(&mut self, journal: &Journal, sum: &Usage, held: &Held) {
        let (used, own) = (journal.used(), own_money(journal));
        for dimension in [Dimension::NanoUsd, Dimension::Tokens] {
            let all = sum.get(dimension) + own.get(dimension);
            assert_eq!(used.get(dimension), all, "{dimension:?}");
            assert!(used.get(dimension) <= held.budget.get(dimension), "{dimension:?}");
        }
        self.paid += own.get(Dimension::NanoUsd);
        assert_eq!(used.get(Dimension::Calls), sum.get(Dimension::Calls) + own_calls(journal));
    }
}

/// What the models cost that a run asked itself.
fn own_money(journal: &Journal) -> Usage {
    let entries = journal.entries().iter().filter_map(|entry| match &entry.event {
        Event::Answered(answered) if answered.child.is_none() => Some(answered.used),
        _ => None,
    });
    entries.fold(Usage::ZERO, |sum, used| sum.checked_add(used).unwrap())
}

/// She lets fewer files be read than were asked for, and allows everything else.
fn bea_gives_less(request: &Request) -> Option<Decision> {
    match wanted(request).read.patterns().is_empty() {
        true => ada(request),
        false => bea_narrows(request),
    }
}

/// Also where a human let the one at the root have more on the way.
#[test]
fn no_child_exceeds_its_parent_and_the_books_balance() {
    let peer = Peer::start(LOOPBACK);
    let mut counts = Counts { authority: peer.authority(), ..Counts::default() };
    let says: [&[Says]; 3] = [&[ada], &[bea_gives_less], &[no]];
    for seed in 1..=32 {
        let mut chance = Chance(seed * 0x9E37_79B9);
        let mut town = town(&tree(&mut chance, &peer.authority()));
        town.stub = Some(Arc::default());
        (town.nano_usd, town.tokens) = (1_000_000, 20_000);
        town.setup.calls = 600;
        // Mostly they allow it.
        let nth = usize::try_from(seed % 5).unwrap().saturating_sub(2);
        let network = Network::new(settings(&peer)).unwrap();
        let all = [format!("GET,POST http://{}/**", peer.authority())];
        town.setup = town.setup.at_desk(Office::new(says[nth])).online(&all, network);
        let drawn = ["caller", "guests@local", "helper@local"];
        town.means = drawn.map(|who| (who, means(&mut chance, &peer.authority()))).into();
        let ran = town.run();
        counts.walk(&town, &ran.journal, &town.warrant());
        counts.denied += ran.denied().len();
        ran.replays_same();
    }
    let Counts { runs, denied, grown, owed, paid, open, shut, authority: _ } = counts;
    let wild = runs > 40 && denied > 5 && grown > 10 && owed > 3 && paid > 0;
    let far = open > 20 && shut > 20 && peer.connections() > 0;
    assert!(wild && far, "the trees are too tame: {counts:?} {}", peer.connections());
}
