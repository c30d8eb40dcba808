//! Runs that kill whoever goes on with them: they are ended without being run.

use envelope_engine::run::{Finished, give_up};
use envelope_evidence::journal::Journal;
use envelope_store::journal::{self, InStore};
use envelope_store::work::{Lease, TRIES_MAX};

use crate::NodeError;
use crate::finish::finish;
use crate::house::now;
use crate::node::Node;
use crate::run::Came;

/// Ends the run where its journal ends, with a receipt that says why.
pub(crate) async fn end(node: &Node, lease: &Lease) -> Result<Came, NodeError> {
    let (house, run) = (node.house(), lease.id.as_str());
    let (lines, next) = journal::read(&house.store, &lease.org, run).await?;
    let journal = Journal::parse(&lines).map_err(|why| NodeError::kept(run, why))?;
    let finished = if journal.ended().is_some() {
        Finished::unplayed(journal)
    } else {
        let writer = Box::new(InStore::new(node.queue(), lease.clone(), next));
        let why = format!(
            "{TRIES_MAX} nodes in a row fell silent over it before it made a step: it is given up"
        );
        let given_up = give_up(journal, writer, now(), &why).await;
        given_up.map_err(|why| NodeError::kept(run, why))?
    };
    let over = finish(house, lease, &finished, node.receipts()).await?;
    Ok(Came::Ended(over, Box::new(finished)))
}
