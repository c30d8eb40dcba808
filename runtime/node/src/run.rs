//! One run that this node holds, from where its journal ends to where it must stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use envelope_engine::local::{LocalWorld, regrant};
use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{self, Finished, Halted, Surroundings};
use envelope_evidence::Label;
use envelope_gate::desk::Desk;
use envelope_gate::kill::Obeyed;
use envelope_gate::model::Books;
use envelope_gate::stop::Stop;
use envelope_rules::guard::Capability;
use envelope_store::budget::StorePurse;
use envelope_store::journal::InStore;
use envelope_store::noun::{Change, Noun};
use envelope_store::work::Lease;

use crate::calendar::chain;
use crate::desk::{self, StoreDesk};
use crate::finish::finish;
use crate::house::now;
use crate::load::Ready;
use crate::node::Node;
use crate::seat::Seat;
use crate::sheet::{Over, Sheet};
use crate::{NodeError, Seen, hopeless, room};

/// Nano-dollars that are taken of shared accounts at once: some calls of a middling model, so that
/// few calls wait for the books, and little lies idle.
const SLICE: u64 = 50_000_000;

/// What the message is about that a run waits for a human.
const WAITING: &str = "run.waiting";

/// What became of a run on this node.
pub enum Came {
    /// It ended, and has its receipt.
    Ended(Over, Box<Finished>),
    /// It waits for a human.
    Waits,
    /// It was given back while it went, because the node leaves.
    GivenBack,
    /// Another node has it.
    Lost,
}

/// How far it came.
enum Far {
    Ended(Box<Finished>),
    Aside,
    /// So many bytes that it has to keep do not fit.
    NoRoom(u64, NodeError),
}

/// Has the run of `seat` go on, and writes down where it came.
pub(crate) async fn go(node: &Node, seat: &Seat) -> Result<Came, NodeError> {
    let lease = &seat.lease;
    let sheet = begin(node, lease).await?;
    if lease.is_hopeless() {
        return hopeless::end(node, lease).await;
    }
    let desk = sheet.rules.clone();
    let desk = desk.map(|rules| StoreDesk::new(node.house().store.clone(), lease.clone(), rules));
    let desk = desk.map(Arc::new);
    let mut came = far(node, seat, &sheet, desk.clone(), None).await?;
    if let Far::NoRoom(size, _) = came
        && let Some(stop) = room::stop(node.house(), lease, size).await?
    {
        came = far(node, seat, &sheet, desk.clone(), Some(stop)).await?;
    }
    match came {
        Far::Ended(finished) => {
            let over = finish(node.house(), lease, &finished, node.receipts()).await?;
            Ok(Came::Ended(over, finished))
        }
        Far::Aside => aside(node, lease, desk.as_deref()).await,
        Far::NoRoom(_, why) => Err(why),
    }
}

/// Writes down that the run is at work, and reads what it is.
async fn begin(node: &Node, lease: &Lease) -> Result<Sheet, NodeError> {
    let mut tx = node.house().store.write().await?;
    let mut rows = tx.of(&lease.org);
    rows.hold(lease).await?;
    let record = rows.get(Noun::Run, &lease.id).await?;
    let record = record.ok_or_else(|| NodeError::NoRun(lease.id.clone()))?;
    let sheet = Sheet::of(&record)?;
    if record.state != "running" {
        let change = Change { id: &record.id, state: "running", body: &record.body, at: now() };
        rows.step(Noun::Run, record.version, change).await?;
        tx.commit().await?;
    }
    Ok(sheet)
}

/// Has the run go on from where its journal ends; with a `stop`, only to be stopped there.
async fn far(
    node: &Node,
    seat: &Seat,
    sheet: &Sheet,
    desk: Option<Arc<StoreDesk>>,
    stop: Option<Stop>,
) -> Result<Far, NodeError> {
    let lease = &seat.lease;
    let Ready { mut order, journal, next } = node.ready(&lease.org, &lease.id, sheet).await?;
    let refused = Arc::new(AtomicU64::new(0));
    let blobs = node.house().blobs(&lease.org).of_run(lease.clone(), now, Arc::clone(&refused));
    if journal.ended().is_some() {
        // It died between its end and its receipt.
        return match replay(order, journal, blobs).await {
            Ok(Verdict::Same(finished)) => Ok(Far::Ended(finished)),
            Ok(Verdict::Diverged(why)) => Err(NodeError::kept(&lease.id, why)),
            Err(why) => Err(NodeError::kept(&lease.id, why)),
        };
    }
    regrant(&mut order, journal.header())?;
    let purse = StorePurse::new(node.house().store.clone(), lease.org.clone());
    let purse = Arc::new(purse.under(lease.clone()));
    let warrant = &order.authorities.warrant;
    let asks = warrant.capabilities().contains(Capability::Approvals);
    let Seen { network, models, secrets } = node.outside().seen(warrant, asks, purse.clone())?;
    order.secrets = secrets;
    let chain = chain(&sheet.shared, sheet.days.as_ref())?;
    let books = (!sheet.shared.is_empty()).then_some(Books { purse, chain, slice: SLICE });
    let world = LocalWorld::new(journal.header().run.clone(), network).with_models(models);
    let desk = desk.map(|desk| -> Arc<dyn Desk> { desk });
    let organisation = Some(Label::cut(lease.org.as_str()));
    let obeyed = Obeyed { switches: node.switches().await?, organisation };
    let world = world.with_books(books).with_desk(desk).with_obeyed(Some(obeyed));
    let world = Arc::new(world);
    seat.take(&world);
    if let Some(stop) = stop {
        world.stop(stop);
    }
    let surroundings = Surroundings {
        blobs,
        world,
        writer: Box::new(InStore::new(node.queue(), lease.clone(), next)),
        watcher: node.watcher(),
    };
    match run::resume(order, journal, surroundings).await {
        Ok(finished) => Ok(Far::Ended(Box::new(finished))),
        Err(Halted::Stopped(Stop::Suspended)) => Ok(Far::Aside),
        Err(why) => {
            let why = NodeError::kept(&lease.id, why);
            match refused.load(Ordering::Acquire) {
                0 => Err(why),
                size => Ok(Far::NoRoom(size, why)),
            }
        }
    }
}

/// Puts the run aside: until a human decided, or for another node to go on at once.
async fn aside(node: &Node, lease: &Lease, desk: Option<&StoreDesk>) -> Result<Came, NodeError> {
    let open = desk.map(StoreDesk::open).unwrap_or_default();
    let waits = !open.is_empty();
    let mut tx = node.house().store.write().await?;
    let mut rows = tx.of(&lease.org);
    rows.hold(lease).await?;
    let due = if waits { desk::due(&mut rows, &open).await? } else { now() };
    if waits {
        let record = rows.get(Noun::Run, &lease.id).await?;
        let record = record.ok_or_else(|| NodeError::NoRun(lease.id.clone()))?;
        let change = Change { id: &record.id, state: "suspended", body: &record.body, at: now() };
        rows.step(Noun::Run, record.version, change).await?;
        let told = serde_json::json!({ "run": record.id }).to_string();
        rows.announce(WAITING, &told, now()).await?;
    }
    rows.give_back(lease, due).await?;
    tx.commit().await?;
    Ok(if waits { Came::Waits } else { Came::GivenBack })
}
