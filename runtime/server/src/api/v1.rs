//! `/api/v1`.

mod agents;
mod approvals;
mod attestations;
mod document;
mod hooks;
mod keys;
mod listings;
mod msas;
mod organisations;
mod papers;
mod purchases;
mod runs;
mod sessions;
mod stops;
mod users;

use crate::route::Route;

/// Every operation, by resource.
pub(crate) static ALL: &[&[Route]] = &[
    organisations::ROUTES,
    users::ROUTES,
    keys::ROUTES,
    sessions::ROUTES,
    agents::ROUTES,
    attestations::ROUTES,
    msas::ROUTES,
    listings::ROUTES,
    papers::ROUTES,
    purchases::ROUTES,
    runs::ROUTES,
    approvals::ROUTES,
    hooks::ROUTES,
    stops::ROUTES,
    document::ROUTES,
];

/// The turn of whoever asks, in a transaction that reads.
macro_rules! look {
    ($call:ident, $tx:ident, $turn:ident) => {
        let mut $tx = $call.tx().await?;
        let mut $turn = envelope_market::Turn { tx: &mut $tx, who: $call.who()?, at: $call.at };
    };
}

/// A handler that answers, from what follows.
macro_rules! answers {
    ($call:ident, $($body:tt)*) => {
        Box::pin(async move {
            let done: Result<crate::answer::Answer, crate::Problem> = async { $($body)* }.await;
            crate::call::sent(done)
        })
    };
}

use {answers, look};
