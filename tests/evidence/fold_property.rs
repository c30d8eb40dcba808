//! `fold` is total: whatever a journal admits folds, signs, verifies and reads back.

use envelope_evidence::journal::{
    Answered, Call, Child, Content, Denied, Ended, Evaluation, Event, FileTouch, Journal, Outcome,
    Output, OutputValue, Review, Rotation, Settled,
};
use envelope_evidence::key::Window;
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::preview::PREVIEW_CHARS_MAX;
use envelope_evidence::receipt::Folder;
use envelope_evidence::text::{LABEL_CHARS_MAX, PATH_CHARS_MAX};
use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::verify::verify;
use envelope_evidence::{Digest, Dimension, Label, PathText, Preview, Timestamp, Usage};
use proptest::prelude::*;
use proptest::sample::select;

use super::sample::{self, begun, completed, denied, events, header, read};

/// The last instant at which a key can still be valid.
const LATEST: u64 = Timestamp::MAX.millis() - 1;

/// Texts that serialise oddly, and the longest ones that fit.
fn text(max: usize) -> impl Strategy<Value = String> {
    let odd = ["", "files", "\"\\/", "\u{fffd}\u{2028}", "\u{1f600}e\u{301}", "[redacted]"];
    let fill = move |text: &'static str| text.chars().cycle().take(max).collect::<String>();
    prop_oneof![
        4 => select(odd.to_vec()).prop_map(str::to_owned),
        1 => select(vec!["\"", "\u{10ffff}", "a/"]).prop_map(fill),
        1 => "\\PC{0,12}",
    ]
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), 0..1_000_000_u64, Just(MAX_EXACT)]
}

fn usage() -> impl Strategy<Value = Usage> {
    (select(Dimension::ALL.to_vec()), amount())
        .prop_map(|(dimension, amount)| Usage::ZERO.with(dimension, amount).unwrap())
}

/// A call that mostly, but not always, is one that may come next.
#[derive(Debug, Clone)]
struct Step {
    later: u64,
    call: u64,
    kind: usize,
    texts: (String, String),
    amount: u64,
    used: Usage,
    size: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let later = prop_oneof![8 => 0..10_000_u64, 1 => Just(LATEST)];
    let texts = (text(LABEL_CHARS_MAX), text(PATH_CHARS_MAX));
    (later, 0..6_u64, 0..12_usize, texts, amount(), usage(), select(vec![0, 1, 4096, 4097]))
        .prop_map(|(later, call, kind, texts, amount, used, size)| Step {
            later,
            call,
            kind,
            texts,
            amount,
            used,
            size,
        })
}

impl Step {
    fn label(&self) -> Label {
        Label::new(self.texts.0.as_str()).unwrap()
    }

    fn path(&self) -> PathText {
        PathText::new(self.texts.1.as_str()).unwrap()
    }

    fn preview(&self) -> Preview {
        let text: String = self.texts.1.chars().take(PREVIEW_CHARS_MAX).collect();
        Preview::already_redacted(text).unwrap()
    }

    fn event(&self, journal: &Journal) -> Event {
        let next = journal.calls().len() as u64;
        let open = journal.calls().iter().position(|it| it.settled == Settled::Begun);
        let n = if self.call == 5 { next + 1 } else { next };
        let call = sample::call(n, if self.amount == 0 { "files" } else { "net" }, "read", "x");
        let call = Call { operation: self.label(), target: self.preview(), ..call };
        let (digest, size) = (Digest::of(self.texts.1.as_bytes()), self.amount);
        match self.kind {
            0 => begun(n, self.amount),
            1 | 2 => completed(open.map_or(n, |n| n as u64), self.amount),
            3 => match open {
                Some(n) => Event::Denied(Denied {
                    call: sample::call(n as u64, "model", "complete", "fast"),
                    code: self.label(),
                    detail: self.preview(),
                }),
                None => denied(n, "a"),
            },
            4 => read(n, &self.texts.1.replace('\u{2028}', ""), &vec![7; self.size]),
            5 => Event::Denied(Denied { call, code: self.label(), detail: self.preview() }),
            6 | 7 => Event::Answered(Answered {
                call,
                answer: Content::of(&vec![9; self.size]),
                used: self.used,
                file: (self.kind == 6).then(|| FileTouch { path: self.path(), digest, size }),
                rotation: (self.call == 0).then(|| {
                    let mut scope = header().scope.unwrap();
                    scope.paths = vec![self.path(); self.size % 9];
                    scope.expires = self.amount;
                    Box::new(Rotation { approval: self.label(), scope })
                }),
                child: (self.kind == 7).then(|| {
                    Box::new(Child {
                        run: self.label(),
                        agent: self.label(),
                        scope: header().scope.unwrap(),
                        own: digest,
                        warrant: digest,
                        outcome: Outcome::Ok,
                        receipt: digest,
                        reserved: self.used,
                        used: self.used,
                    })
                }),
            }),
            8 => Event::Evaluated(Evaluation {
                criterion: self.label(),
                score: u32::try_from(self.amount).ok().filter(|_| self.call > 0),
                evidence: vec![digest; self.size % 67],
                ..evaluation()
            }),
            9 | 10 => Event::Reviewed(Review { note: self.preview(), ..review() }),
            _ => Event::Ended(Ended {
                reason: self.label(),
                result: Some(OutputValue { digest, size, preview: self.preview() }),
                outputs: vec![Output { path: self.path(), digest, size }; self.size % 7],
                ..end()
            }),
        }
    }
}

fn evaluation() -> Evaluation {
    let is = |it| if let Event::Evaluated(it) = it { Some(it) } else { None };
    events().into_iter().find_map(is).unwrap()
}

fn review() -> Review {
    let is = |it| if let Event::Reviewed(it) = it { Some(it) } else { None };
    events().into_iter().find_map(is).unwrap()
}

fn end() -> Ended {
    let is = |it| if let Event::Ended(it) = it { Some(it) } else { None };
    events().into_iter().find_map(is).unwrap()
}

/// The sample keys, good until the last instant but one: these runs may end in the year 9999.
fn always() -> KeyRing {
    KeyRing::new([
        KeyRecord::of(&sample::receipt_key(), Window::ALWAYS),
        KeyRecord::of(&sample::review_key(), Window::ALWAYS),
    ])
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_journal_folds_signs_and_verifies(
        steps in proptest::collection::vec(step(), 0..24),
        name in text(LABEL_CHARS_MAX),
        started in prop_oneof![Just(0), Just(sample::START)],
    ) {
        let mut header = header();
        header.run = Label::new(name.clone()).unwrap();
        header.agent.name = Label::new(name).unwrap();
        header.started = Timestamp::from_millis(started).unwrap();
        let (mut journal, mut file) = Journal::start(header).unwrap();
        let (mut now, mut admitted) = (sample::START, 0);
        for step in &steps {
            let later = (now + step.later).min(LATEST);
            let before = (journal.head(), journal.used(), journal.calls().to_vec());
            let event = step.event(&journal);
            match journal.append(Timestamp::from_millis(later).unwrap(), event) {
                Ok(line) => {
                    file.extend(line);
                    admitted += 1;
                    now = later;
                }
                Err(_) => {
                    let after = (journal.head(), journal.used(), journal.calls().to_vec());
                    prop_assert_eq!(before, after, "a refusal changes nothing");
                }
            }
        }
        let parsed = Journal::parse(&file).unwrap();
        prop_assert_eq!(parsed.entries(), journal.entries());
        prop_assert_eq!(parsed.entries().len(), admitted);
        let signed = sample::sign(&parsed);
        let folder = Folder::of(&signed, Some(&file)).unwrap();
        let report = verify(&folder, &always());
        prop_assert!(report.verified(), "{:?}", report.first_failure());
        let lines = Folder::of_one_file(&folder.to_json_lines()).unwrap();
        prop_assert!(verify(&lines, &always()).verified());
    }
}
