//! Random trees of calls: no child exceeds its parent in anything, and no money comes from nowhere.

use envelope_evidence::journal::{Child, Journal};
use envelope_evidence::{Dimension, Usage};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use super::town::{Town, children, town};

struct Seed(u64);

impl Seed {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from[usize::try_from(self.0 % u64::try_from(from.len()).unwrap()).unwrap()]
    }
}

/// A caller with some callees, each with some acts and callees of its own.
fn tree(seed: &mut Seed) -> String {
    let mut acts = Vec::new();
    for _ in 0..3 {
        let inner: Vec<_> = (0..2).map(|_| callee(seed, "call-small", &["now"])).collect();
        let inner: Vec<_> = inner.iter().map(|act| act.replace('|', "^")).collect();
        let leaf = ["read in/a.txt", "write out/a/x y", "insist 9 now", &inner[0], &inner[1]];
        acts.push(callee(seed, "call-deep", &leaf));
    }
    acts.join("; ")
}

fn callee(seed: &mut Seed, verb: &str, acts: &[&str]) -> String {
    let agent = seed.pick(&["helper@local", "guests@local", "stranger@local"]);
    let files = seed.pick(&["in/**", "in/a.txt", "in/deep/*", "**", "-"]);
    let outputs = seed.pick(&["out/", "out/a/", "out/a/b/", "in/", "-"]);
    let calls = seed.pick(&["0", "1", "5", "20", "400"]);
    let ttl = seed.pick(&["1", "60", "100000"]);
    let nano = seed.pick(&["0", "0", "7", "60"]);
    let acts: Vec<_> = (0..3).map(|_| seed.pick(acts)).collect();
    format!("{verb} {agent} {files} {outputs} {ttl} {nano} {calls} {}", acts.join("|"))
}

fn patterns(child: &Child) -> PatternSet {
    let texts: Vec<_> = child.scope.paths.iter().map(|path| path.as_str()).collect();
    PatternSet::parse(&texts).unwrap()
}

const MONEY: [Dimension; 4] =
    [Dimension::NanoUsd, Dimension::Tokens, Dimension::Bytes, Dimension::Calls];

/// Walks the tree below `journal` and returns how many runs it holds.
fn hold(town: &Town, journal: &Journal, budget: Usage) -> usize {
    let scope = journal.header().scope.clone().unwrap();
    let texts: Vec<_> = scope.paths.iter().map(|path| path.as_str()).collect();
    let mut readable = texts.clone();
    let below = format!("{}**", scope.outputs.as_str());
    readable.extend(Some(below.as_str()).filter(|_| !scope.outputs.as_str().is_empty()));
    let readable = PatternSet::parse(&readable).unwrap();
    let mut sum = Usage::ZERO;
    let mut runs = 1;
    for child in children(journal) {
        let callee = town.journal_of(&child.run);
        assert!(patterns(&child).within(&readable), "{child:?} of {scope:?}");
        let outputs = child.scope.outputs.as_str();
        if !outputs.is_empty() {
            let parent = Prefix::parse(scope.outputs.as_str()).unwrap();
            assert!(Prefix::parse(outputs).unwrap().within(&parent), "{child:?}");
        }
        assert!(child.scope.expires <= scope.expires);
        assert_eq!(child.scope.depth, scope.depth + 1);
        assert_eq!(callee.header().budget, child.reserved);
        assert_eq!(callee.used(), child.used);
        for dimension in MONEY {
            assert!(child.reserved.get(dimension) <= budget.get(dimension), "{dimension:?}");
            assert!(child.used.get(dimension) <= child.reserved.get(dimension), "{dimension:?}");
        }
        assert!(child.scope.expires <= town.deadline().secs());
        sum = sum.checked_add(child.used).unwrap();
        runs += hold(town, &callee, child.reserved);
    }
    let used = journal.used();
    for dimension in [Dimension::NanoUsd, Dimension::Tokens] {
        assert_eq!(used.get(dimension), sum.get(dimension), "only callees cost {dimension:?}");
    }
    assert_eq!(
        used.get(Dimension::Calls),
        sum.get(Dimension::Calls) + super::town::own_calls(journal)
    );
    runs
}

#[test]
fn no_child_exceeds_its_parent_and_the_books_balance() {
    let (mut runs, mut denied) = (0, 0);
    for seed in 1..=24 {
        let mut town = town(&tree(&mut Seed(seed * 0x9E37_79B9)));
        town.nano_usd = 50;
        town.setup.calls = 600;
        let ran = town.run();
        runs += hold(&town, &ran.journal, ran.journal.header().budget);
        denied += ran.denied().len();
        ran.replays_same();
    }
    assert!(runs > 40 && denied > 5, "{runs} runs, {denied} refusals: the trees are too tame");
}
