//! The days of a shared account: where they begin, and what each is called.

use std::sync::Arc;

use envelope_evidence::Timestamp;
use envelope_gate::model::{Chain, Days};
use envelope_rules::budget::{Level, Shared};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// How the days of an account follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Whose days they are: a purchase, an agent.
    pub of: String,
    /// The place whose midnight ends them, as the time zone database names it.
    pub zone: String,
    /// What may be spent on each, in nano-dollars.
    pub nano_usd: u64,
}

/// There is no such zone.
#[derive(Debug, thiserror::Error)]
#[error("no days begin in the zone `{zone}`: {why}")]
pub struct NoZone {
    zone: String,
    why: jiff::Error,
}

impl Calendar {
    /// The account of the day on which `at` falls.
    pub fn day(&self, at: Timestamp) -> Result<Shared, NoZone> {
        let name = name(&self.of, &zone(&self.zone)?, at);
        Ok(Shared { level: Level::Day, name })
    }

    /// The same for every moment.
    fn days(&self) -> Result<Days, NoZone> {
        let (of, zone) = (self.of.clone(), zone(&self.zone)?);
        Ok(Days { cap: self.nano_usd, name: Arc::new(move |at| name(&of, &zone, at)) })
    }
}

/// `accounts`, of which the day follows `calendar`, if there is one.
pub(crate) fn chain(accounts: &[Shared], calendar: Option<&Calendar>) -> Result<Chain, NoZone> {
    let days = calendar.map(Calendar::days).transpose()?;
    Ok(Chain { accounts: accounts.to_vec(), days })
}

fn zone(zone: &str) -> Result<TimeZone, NoZone> {
    TimeZone::get(zone).map_err(|why| NoZone { zone: zone.to_owned(), why })
}

fn name(of: &str, zone: &TimeZone, at: Timestamp) -> String {
    let millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let date = moment.to_zoned(zone.clone()).date();
    format!("{of}/{date}")
}
