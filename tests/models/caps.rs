//! What may be asked, and how much it may cost: every limit alone, with what it lets through.

use envelope_evidence::{Digest, Label, Timestamp, Usage};
use envelope_gate::model::InMemoryPurse;
use envelope_rules::budget::{Frost, Level, Place, Shared};

use super::desk::{Desk, INPUT, OUTPUT, Told, desk};

const ASK: &str = "chat stub/a 200 Why is the sky blue?";

/// Tokens that this question can be at worst: its bytes, the model's name, and the frames.
const IN: u64 = 256 + 96 + 128 + 20 + 6;

/// What it costs at worst.
const WORST: u64 = IN * INPUT + 200 * OUTPUT;

/// What is spoiled, the reason that has to be given, and words of its detail.
type Case = (&'static str, fn(&mut Desk), &'static str, &'static str);

const CASES: &[Case] = &[
    ("capability", |desk| desk.capability = false, "policy.not-granted", "model"),
    ("operator", |desk| desk.operator = false, "policy.forbidden", "model"),
    ("list", |desk| desk.models = vec!["stub/b"], "model.outside", "`stub/a`"),
    ("price", |desk| desk.priced = vec!["stub/b"], "budget.unpriced", "`stub/a`"),
    ("criteria", |desk| desk.criteria = false, "paper.unlocked", "`stub/a`"),
    ("provider", |desk| desk.set_up = false, "policy.forbidden", "no provider"),
    ("money", |desk| desk.money = IN * INPUT + 15 * OUTPUT, "budget.exhausted", "run `run_1`"),
    ("no money", |desk| desk.money = 0, "budget.exhausted", "the input alone"),
    ("tokens", |desk| desk.tokens = IN + 15, "budget.exhausted", "run `run_1`: tokens"),
    ("call", |desk| desk.per_call = Some(IN * INPUT), "budget.exhausted", "one call of `stub/a`"),
    ("task", |desk| shared(desk, Level::Task, 400_000), "budget.exhausted", "task `t`"),
    ("day", |desk| shared(desk, Level::Day, 400_000), "budget.exhausted", "agent's day `d`"),
    ("agent", |desk| shared(desk, Level::Agent, 400_000), "budget.exhausted", "agent `a`"),
    ("purchase", |desk| shared(desk, Level::Purchase, 400_000), "budget.exhausted", "purchase `p`"),
    ("organisation", |desk| shared(desk, Level::Organisation, 0), "budget.exhausted", "organ"),
    ("frozen", |desk| freeze(desk, "stub/a"), "budget.frozen", "`stub/a` at `stub`"),
];

/// The whole chain of shared accounts, with `cap` at `level` and plenty everywhere else.
fn shared(desk: &mut Desk, level: Level, cap: u64) {
    let names = [
        (Level::Task, "t"),
        (Level::Day, "d"),
        (Level::Agent, "a"),
        (Level::Purchase, "p"),
        (Level::Organisation, "o"),
    ];
    desk.chain.accounts = names.map(|(level, name)| Shared { level, name: name.to_owned() }).into();
    let caps = desk.chain.accounts.iter().map(|account| {
        let cap = if account.level == level { cap } else { 1 << 40 };
        (account.clone(), cap)
    });
    desk.purse = InMemoryPurse::new(caps).into();
}

fn freeze(desk: &mut Desk, model: &str) {
    desk.purse.freezer().freeze(Frost {
        place: place(model),
        run: Label::cut("another"),
        key: Label::cut("another/1"),
        reserved: Usage::ZERO,
        charged: Usage::ZERO,
        at: Timestamp::ZERO,
    });
}

fn place(model: &str) -> Place {
    Place { provider: Label::cut("stub"), model: Label::cut(model) }
}

#[test]
fn what_is_not_allowed_or_not_affordable_is_asked_of_nobody() {
    for (name, spoil, code, detail) in CASES {
        let sound = desk(ASK).run();
        assert!(sound.said().starts_with("chat: ok stub/a stub stop"), "{}", sound.said());
        assert_eq!(sound.desk.stub.asked().len(), 1, "the positive control of {name}");

        let mut spoiled = desk(ASK);
        spoil(&mut spoiled);
        let told = spoiled.run();
        assert_eq!(told.denied(), [*code], "{name}: {}", told.said());
        assert!(told.said().starts_with(&format!("chat: denied {code} (")), "{}", told.said());
        assert!(told.said().contains(detail), "{name}: {}", told.said());
        assert_eq!(told.desk.stub.asked(), [], "{name}: nothing is sent");
        assert_eq!(told.money(), 0, "{name}");
        for account in &told.desk.chain.accounts {
            let balance = told.desk.purse.ledger().balance(account).unwrap();
            assert_eq!((balance.spent, balance.leased), (0, 0), "{name}: {account:?}");
        }
        told.replays_same();
    }
}

/// A cap that is just large enough lets the call through, whole.
#[test]
fn what_just_fits_is_asked_for_whole() {
    for (name, spoil) in [
        ("money", (|desk| desk.money = WORST) as fn(&mut Desk)),
        ("tokens", |desk| desk.tokens = IN + 200),
        ("call", |desk| desk.per_call = Some(WORST)),
        ("task", |desk| shared(desk, Level::Task, WORST)),
        ("day", |desk| shared(desk, Level::Day, WORST)),
        ("agent", |desk| shared(desk, Level::Agent, WORST)),
        ("purchase", |desk| shared(desk, Level::Purchase, WORST)),
        ("organisation", |desk| shared(desk, Level::Organisation, WORST)),
        ("another is frozen", |desk| freeze(desk, "stub/b")),
    ] {
        let mut fits = desk(ASK);
        spoil(&mut fits);
        let told = fits.run();
        assert_eq!(told.denied(), Vec::<String>::new(), "{name}: {}", told.said());
        assert_eq!(told.desk.stub.asked()[0].max_output, 200, "{name}");
        assert!(!told.said().contains("clamped"), "{name}: {}", told.said());
        assert!(told.money() > 0 && told.money() < WORST, "{name}");
        shared_books_are_exact(&told);
        told.replays_same();
    }
}

/// What the shared accounts say is what the journal says, and nothing is out any more.
fn shared_books_are_exact(told: &Told) {
    for account in &told.desk.chain.accounts {
        let balance = told.desk.purse.ledger().balance(account).unwrap();
        assert_eq!((balance.spent, balance.leased), (told.money(), 0), "{account:?}");
    }
}

/// A cap: its name, how it is set, and how a denial tells of it.
type Tight = (&'static str, fn(&mut Desk, u64), &'static str);

#[test]
fn the_answer_is_clamped_to_what_the_tightest_cap_affords() {
    let affords = |tokens: u64| IN * INPUT + tokens * OUTPUT + OUTPUT - 1;
    let cases: [Tight; 4] = [
        ("money", |desk, cap| desk.money = cap, "run `run_1`: nano_usd remaining"),
        ("call", |desk, cap| desk.per_call = Some(cap), "one call of `stub/a`: nano_usd at most"),
        ("day", |desk, cap| shared(desk, Level::Day, cap), "agent's day `d`: nano_usd"),
        ("tokens", |desk, _| desk.tokens = IN + 77, "run `run_1`: tokens remaining"),
    ];
    for (name, spoil, by) in cases {
        let mut tight = desk(ASK);
        spoil(&mut tight, affords(77));
        let told = tight.run();
        assert_eq!(told.desk.stub.asked()[0].max_output, 77, "{name}: written into the request");
        assert!(told.said().contains(&format!("clamped 77 by {by}")), "{name}: {}", told.said());
        told.replays_same();
    }
    // Below the floor it is refused; who wishes for less than the floor gets that.
    let mut low = desk("chat stub/a 200 Why is the sky blue?; chat stub/a 9 Why is the sky blue?");
    low.money = affords(15);
    let told = low.run();
    assert_eq!(told.denied(), ["budget.exhausted"]);
    assert_eq!(told.desk.stub.asked().iter().map(|it| it.max_output).collect::<Vec<_>>(), [9]);
}

#[test]
fn many_calls_never_pass_the_cap() {
    for money in [IN * INPUT, 700_000, 1_000_000, 1_234_567, 3_000_000] {
        let mut desk = desk("insist 40 chat stub/a 200 Why is the sky blue?");
        desk.money = money;
        let told = desk.run();
        assert!(told.money() <= money, "{} of {money}", told.money());
        let billed = told.desk.stub.asked().len();
        assert!(told.denied().iter().all(|code| code == "budget.exhausted"));
        assert_eq!(told.denied().len() + billed, 40);
        told.replays_same();
    }
}

#[test]
fn what_makes_no_sense_is_not_priced() {
    for (acts, words) in [
        ("chat stub/a 0 Hello", "at least one token"),
        ("ask-picture stub/a 50 in/none.png", "no-entry"),
        ("ask-picture stub/a 50 ../x.png", "not-permitted"),
    ] {
        let told = desk(acts).run();
        assert!(told.said().contains("invalid") && told.said().contains(words), "{}", told.said());
        assert_eq!(told.desk.stub.asked(), []);
        told.replays_same();
    }
    // A picture is a file: who may not read it does not show it to anybody.
    let told = desk("ask-picture stub/a 50 secret/key.txt; ask-picture stub/a 50 in/a.txt").run();
    assert_eq!(told.denied(), ["path.outside"]);
    assert_eq!(told.desk.stub.asked().len(), 1, "{}", told.said());
    told.replays_same();
}

/// The receipt says by which prices a run was paid.
#[test]
fn the_receipt_cites_the_price_book() {
    let told = desk(ASK).run();
    let cited = told.record().header().prices.expect("a book");
    let folded = envelope_evidence::receipt::fold(&told.record());
    let cites = |statement: &Vec<u8>| {
        let text = String::from_utf8_lossy(statement);
        text.contains("/intent/v1") && text.contains(&cited.to_string())
    };
    assert_eq!(folded.evidence.iter().filter(|it| cites(it)).count(), 1);
    assert_ne!(cited, Digest::of(b""));
}
