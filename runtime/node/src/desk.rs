//! Where runs ask humans: rows of the store. Whoever decides does it there, and the run is woken.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use envelope_evidence::{Digest, Timestamp};
use envelope_gate::desk::{Asking, Decision, Desk};
use envelope_gate::stop::Fault;
use envelope_rules::approval::{Request, Rules, State};
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::work::Lease;
use envelope_store::{Org, OrgTx, Store};

use crate::asked::{Asked, Late};
use crate::house::now;
use crate::{House, NodeError};

/// How long the store may take to take a question in. Nobody waits for a human in memory: whoever
/// has not decided is told to by the queue.
const GRACE: Duration = Duration::from_secs(60);

/// How long the store may take to say what was decided. It ends before the gate gives up a desk: a
/// store that is away is a fault, after which the run is tried again, and nobody's silence.
const STORE: Duration = Duration::from_secs(8);

/// The desk of one run that a node holds, and of those that it calls.
pub(crate) struct StoreDesk {
    store: Store,
    lease: Lease,
    rules: Rules,
    /// What this node found undecided, with the end of each.
    open: Mutex<Vec<(String, Timestamp)>>,
}

impl StoreDesk {
    pub(crate) const fn new(store: Store, lease: Lease, rules: Rules) -> Self {
        Self { store, lease, rules, open: Mutex::new(Vec::new()) }
    }

    /// Questions that keep the run from going on, with the end of each.
    pub(crate) fn open(&self) -> Vec<(String, Timestamp)> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn take_in(&self, request: &Request) -> Result<Vec<Decision>, NodeError> {
        let policy = self.rules.policy.clone();
        let new = Asked { request: request.clone(), decisions: Vec::new(), policy };
        let (id, at) = (new.id(), now());
        let mut tx = self.store.write().await?;
        let mut rows = tx.of(&self.lease.org);
        rows.hold(&self.lease).await?;
        let Some(record) = rows.get(Noun::Approval, &id).await? else {
            let body = text(&new)?;
            let first = Change { id: &id, state: "open", body: &body, at };
            rows.add(Noun::Approval, Some(&self.lease.id), first).await?;
            tx.commit().await?;
            self.left_open(id, request.expires);
            return Ok(Vec::new());
        };
        let known = asked(&record)?;
        if known.request != *request {
            return Err(NodeError::kept(&id, "another question was asked there"));
        }
        // Too late is as good as decided: the run need not be woken for it once more.
        if !known.is_decided() && !known.is_late(at) {
            self.left_open(id, request.expires);
        }
        Ok(known.decisions)
    }

    fn left_open(&self, id: String, expires: Timestamp) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push((id, expires));
    }
}

impl Desk for StoreDesk {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn grace(&self) -> Duration {
        GRACE
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a> {
        Box::pin(async move {
            let taken = tokio::time::timeout(STORE, self.take_in(request)).await;
            let taken = taken.map_err(|_| Fault::Desk("the store does not answer".to_owned()))?;
            taken.map_err(|why| Fault::Desk(why.to_string()))
        })
    }
}

/// What the run waits for, of one run or of the whole organisation.
pub async fn waiting(house: &House, org: &Org, run: Option<&str>) -> Result<Vec<Asked>, NodeError> {
    let mut tx = house.store.read().await?;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = match run {
            Some(run) => tx.of(org).below(Noun::Approval, run, &after).await?,
            None => tx.of(org).list(Noun::Approval, "open", &after).await?,
        };
        let Some(last) = page.last() else { return Ok(all) };
        after.clone_from(&last.id);
        for record in page.iter().filter(|record| record.state == "open") {
            all.push(asked(record)?);
        }
    }
}

/// Takes a decision on the question that `decision` names by its digest, and wakes the run when it
/// is decided.
pub async fn decide(
    house: &House,
    org: &Org,
    id: &str,
    saw: Digest,
    decision: Decision,
) -> Result<Asked, NodeError> {
    let mut tx = house.store.write().await?;
    let asked = decide_within(&mut tx.of(org), id, saw, decision).await?;
    tx.commit().await?;
    Ok(asked)
}

/// The same in a transaction of whoever calls.
pub async fn decide_within(
    rows: &mut OrgTx<'_>,
    id: &str,
    saw: Digest,
    decision: Decision,
) -> Result<Asked, NodeError> {
    let nothing = || NodeError::NothingAsked(id.to_owned());
    let run = rows.get(Noun::Approval, id).await?.and_then(|row| row.parent).ok_or_else(nothing)?;
    // The work before the question, as the node does it that puts the run aside.
    if !rows.is_open(&run).await? {
        return Err(nothing());
    }
    let record = rows.get(Noun::Approval, id).await?.ok_or_else(nothing)?;
    let mut asked = asked(&record)?;
    if record.state != "open" || asked.request.digest() != Ok(saw) {
        return Err(nothing());
    }
    let at = decision.at;
    asked.decide(decision).map_err(|why| match why {
        Late::Unknown => nothing(),
        Late::Refused(why) => NodeError::Refused(why),
    })?;
    let body = text(&asked)?;
    let change = Change { id, state: state(&asked.state()), body: &body, at };
    rows.step(Noun::Approval, record.version, change).await?;
    if asked.is_decided() {
        rows.wake(&run, now()).await?;
    }
    Ok(asked)
}

/// When a run that waits for `open` falls due: as soon as one of them is decided, or its time over.
pub(crate) async fn due(
    rows: &mut OrgTx<'_>,
    open: &[(String, Timestamp)],
) -> Result<Timestamp, NodeError> {
    let mut due = Timestamp::MAX;
    for (id, expires) in open {
        let row = rows.get(Noun::Approval, id).await?;
        let decided = row.is_none_or(|row| row.state != "open");
        due = due.min(if decided { now() } else { *expires });
    }
    Ok(due)
}

/// Closes what a run that has ended left undecided: nobody needs to answer any more.
pub(crate) async fn close(rows: &mut OrgTx<'_>, run: &str) -> Result<(), NodeError> {
    let mut after = String::new();
    loop {
        let page = rows.below(Noun::Approval, run, &after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for record in page.iter().filter(|record| record.state == "open") {
            let change = Change { id: &record.id, state: "expired", body: &record.body, at: now() };
            rows.step(Noun::Approval, record.version, change).await?;
        }
    }
}

fn asked(record: &Record) -> Result<Asked, NodeError> {
    serde_json::from_str(&record.body).map_err(|why| NodeError::kept(&record.id, why))
}

fn text(asked: &Asked) -> Result<String, NodeError> {
    serde_json::to_string(asked).map_err(|why| NodeError::kept(&asked.id(), why))
}

/// A state as its row spells it.
const fn state(state: &State) -> &'static str {
    match state {
        State::Open {} => "open",
        State::Allowed { .. } => "approved",
        State::Rejected { .. } => "refused",
        State::Expired {} | State::Withdrawn {} => "expired",
    }
}
