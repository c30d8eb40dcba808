//! Kill switches in a test's hand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use envelope_evidence::{Label, Timestamp};
use envelope_gate::kill::Switches;
use envelope_gate::stop::Fault;
use envelope_rules::kill::{self, Standing, Subject, Target, Thrown};

/// Switches, who throws them, and how often somebody looked.
#[derive(Default)]
pub struct Levers {
    switches: Mutex<kill::Switches>,
    generation: AtomicU64,
    broken: Mutex<bool>,
    pub looks: AtomicUsize,
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

impl Levers {
    /// Ada throws the switch of `target`.
    pub fn throw(&self, target: &Target) {
        let at = Timestamp::from_secs(1_748_133_600).unwrap();
        let thrown = Thrown { by: label("ada"), reason: label("it loops"), at };
        self.switches.lock().unwrap().throw(target.clone(), thrown).unwrap();
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub fn lift(&self, target: &Target) {
        self.switches.lock().unwrap().lift(target).unwrap();
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether they can be read.
    pub fn set_broken(&self, broken: bool) {
        *self.broken.lock().unwrap() = broken;
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl Switches for Levers {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn look(&self, subject: Subject<'_>, told: &mut dyn FnMut(Standing<'_>)) -> Result<(), Fault> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if *self.broken.lock().unwrap() {
            return Err(Fault::Switches("torn".to_owned()));
        }
        let switches = self.switches.lock().unwrap();
        switches.standing(subject).map(told);
        Ok(())
    }
}
