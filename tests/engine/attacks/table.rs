//! What every case is held to.

use envelope_evidence::journal::Outcome;

use crate::engine::world::{Ran, Setup, run, setup};

type Change = fn(Setup) -> Setup;

/// One attack.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    /// The class of the security matrix.
    pub class: u8,
    pub acts: &'static str,
    under: Change,
    sees: &'static str,
    ends: (Outcome, &'static str),
    denies: &'static [&'static str],
    many: bool,
    leaves: &'static [&'static str],
    control: Option<(&'static str, Change, &'static str)>,
}

/// A guest that does `acts` under an ordinary grant and sees `sees`.
pub const fn case(class: u8, name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    let ends = (Outcome::Ok, "exit 0");
    let (denies, leaves): (&[&str], &[&str]) = (&[], &[]);
    Case { name, class, acts, under: same, sees, ends, denies, many: false, leaves, control: None }
}

const fn same(setup: Setup) -> Setup {
    setup
}

impl Case {
    /// Under another set-up than the ordinary one.
    pub const fn under(mut self, change: Change) -> Self {
        self.under = change;
        self
    }

    /// The run does not end well.
    pub const fn ends(mut self, outcome: Outcome, reason: &'static str) -> Self {
        self.ends = (outcome, reason);
        self
    }

    /// The journal holds these refusals, in this order, and no other.
    pub const fn denies(mut self, codes: &'static [&'static str]) -> Self {
        self.denies = codes;
        self
    }

    /// The one refusal comes again and again.
    pub const fn denies_many(mut self, code: &'static [&'static str]) -> Self {
        (self.denies, self.many) = (code, true);
        self
    }

    /// These files and no others come out of the run.
    pub const fn leaves(mut self, files: &'static [&'static str]) -> Self {
        self.leaves = files;
        self
    }

    /// What is allowed: other acts under the ordinary set-up.
    pub const fn but(mut self, acts: &'static str, sees: &'static str) -> Self {
        self.control = Some((acts, same, sees));
        self
    }

    /// The same acts are allowed under this set-up.
    pub const fn but_under(mut self, change: Change, sees: &'static str) -> Self {
        self.control = Some((self.acts, change, sees));
        self
    }

    /// What the table says is expected.
    pub fn expectation(&self) -> String {
        let (outcome, reason) = self.ends;
        let codes = if self.denies.is_empty() {
            String::new()
        } else {
            format!(", denied `{}`", self.denies.join("`, `"))
        };
        format!("`{}`, {} ({reason}){codes}", self.sees, outcome.name())
    }

    /// Attacks, and looks at everything there is to see.
    pub fn hold(&self) {
        let ran = run(&(self.under)(setup(self.acts)));
        self.check(&ran);
        let (acts, change, sees) = self.control.expect("every case has a control");
        let control = run(&change(setup(acts)));
        assert_eq!(control.said(), sees, "{}: the control", self.name);
        assert_eq!(control.end(), (Outcome::Ok, "exit 0".to_owned()), "{}: control", self.name);
        control.replays_same();
        let alive = run(&setup("read in/a.txt; write out/x.txt hello"));
        assert_eq!(alive.said(), "read: ok alpha; write: ok 5", "{}: the host lives", self.name);
        assert_eq!(alive.outputs(), ["out/x.txt"]);
    }

    fn check(&self, ran: &Ran) {
        let (outcome, reason) = self.ends;
        let mut codes = ran.denied();
        if self.many {
            codes.dedup();
        }
        let found = (ran.said(), ran.end(), codes);
        let denies = self.denies.iter().map(ToString::to_string).collect();
        let expected = (self.sees.to_owned(), (outcome, reason.to_owned()), denies);
        assert_eq!(found, expected, "{}", self.name);
        assert_eq!(ran.outputs(), self.leaves, "{}: what it leaves", self.name);
        ran.outside_unchanged();
        ran.books_are_exact();
        ran.replays_same();
    }
}

/// Holds all of `cases`, and says all that is wrong.
pub fn hold(cases: &[Case]) {
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let held = std::panic::catch_unwind(|| case.hold());
            held.err().map(|why| {
                let text = why.downcast_ref::<String>().cloned();
                let text = text.or_else(|| why.downcast_ref::<&str>().map(ToString::to_string));
                format!("[{}] {}", case.name, text.unwrap_or_default())
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
