//! All that requests share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use envelope_market::Market;
use envelope_store::Org;
use tokio::sync::Semaphore;

use crate::Contact;
use crate::rate::Buckets;

/// Passwords that are looked at at once: each takes a processor and 19 MiB for some ten
/// milliseconds, and whoever guesses must not take all of them.
const PASSWORDS: usize = 2;

/// A house that is open.
pub struct App {
    /// The market.
    pub market: Market,
    /// The organisation of whoever keeps the house.
    pub operator: Org,
    pub(crate) buckets: Buckets,
    /// Passwords that are looked at at once.
    pub(crate) passwords: Arc<Semaphore>,
    /// Whoever keeps the house hears of trouble here.
    keeper: fn(&str),
    /// Where weaknesses are told, if anywhere.
    pub(crate) contact: Option<Contact>,
    leaving: AtomicBool,
    answered: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

impl App {
    /// A house, whose operator is `operator`, and where `keeper` hears of trouble.
    pub fn new(market: Market, operator: Org, keeper: fn(&str)) -> Self {
        Self {
            market,
            operator,
            keeper,
            buckets: Buckets::default(),
            passwords: Arc::new(Semaphore::new(PASSWORDS)),
            contact: None,
            leaving: AtomicBool::new(false),
            answered: Mutex::default(),
        }
    }

    /// The same house, which tells where weaknesses are told.
    #[must_use]
    pub fn reached_at(self, contact: Option<Contact>) -> Self {
        Self { contact, ..self }
    }

    /// Something is wrong inside.
    pub(crate) fn trouble(&self, what: &str) {
        (self.keeper)(what);
    }

    /// Whether it takes nothing new.
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// From now on it takes nothing new.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, operation: &'static str, status: u16) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answered.entry((operation, status)).or_default();
        *count = count.saturating_add(1);
    }

    /// What was answered so far, as metrics are told. No label holds an id or a host.
    pub(crate) fn metrics(&self) -> String {
        let mut text = String::from(
            "# HELP envelope_requests_total Requests that were answered.\n\
             # TYPE envelope_requests_total counter\n",
        );
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        for ((operation, status), count) in &*answered {
            text.push_str(&format!(
                "envelope_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {count}\n"
            ));
        }
        text
    }
}
