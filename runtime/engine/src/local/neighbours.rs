//! Agents that a local run may call: each in a folder of its own below the run's, which can be
//! verified and played again like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::journal::JournalWriter;
use envelope_gate::peers::Peers;
use envelope_gate::stop::Fault;
use envelope_rules::budget::Cap;
use envelope_rules::grant::GrantKeys;
use envelope_rules::guard::{CapabilitySet, Warrant, WarrantDocument};

use crate::limits::Limits;
use crate::local::folder::{BadFolder, RunFolder};
use crate::peers::{Callee, Neighbours, Records};
use crate::prepared::Prepared;
use crate::run::{Finished, Order};

/// An agent at hand: its code, ready and as it came.
pub struct Hand {
    /// Its service identity.
    pub service: Label,
    /// Ready to run.
    pub prepared: Arc<Prepared>,
    /// The bytes of its component.
    pub component: Bytes,
}

/// Keeps the records of callees in the folder of the run that called first.
pub struct LocalRecords {
    folder: RunFolder,
    components: BTreeMap<Digest, Bytes>,
    key: Arc<SigningKey<ForReceipts>>,
}

/// The agents of a local run under `warrant`. Whoever runs them here wrote its warrant, so by
/// themselves they may do all that it lets anybody do; the caller hands on less.
pub fn neighbours(
    hands: Vec<Hand>,
    warrant: &Warrant,
    folder: &RunFolder,
    keys: Arc<GrantKeys>,
    key: Arc<SigningKey<ForReceipts>>,
) -> Option<Arc<dyn Peers>> {
    if hands.is_empty() {
        return None;
    }
    let components = hands.iter().map(|it| (it.prepared.digest(), it.component.clone())).collect();
    let records = LocalRecords { folder: folder.clone(), components, key };
    let agents = hands.into_iter().map(|Hand { service, prepared, .. }| {
        let own = own(&service, &prepared, warrant);
        (service, Callee { component: prepared, own, limits: Limits::default() })
    });
    Some(Arc::new(Neighbours::new(agents.collect(), keys, Arc::new(records))))
}

fn own(service: &Label, prepared: &Prepared, warrant: &Warrant) -> WarrantDocument {
    let most = warrant.document();
    WarrantDocument {
        agent: service.clone(),
        component: prepared.digest(),
        deadline: Timestamp::MAX,
        capabilities: CapabilitySet::all(),
        budget: Cap::NONE,
        ..most.clone()
    }
}

impl Records for LocalRecords {
    fn open(&self, run: &Label) -> Result<(Vec<u8>, Box<dyn JournalWriter>), Fault> {
        let folder = self.folder.callee(run);
        let before = folder.journal_bytes().map_err(|why| failed(&why))?;
        if before.is_empty() {
            return Ok((before, Box::new(Late { folder, file: None })));
        }
        let (file, journal) = folder.open_journal().map_err(|why| failed(&why))?;
        drop(journal);
        let whole = folder.journal_bytes().map_err(|why| failed(&why))?;
        Ok((whole, Box::new(file)))
    }

    fn begin(&self, run: &Label, order: &Order) -> Result<(), Fault> {
        let component = self.components.get(&order.component.digest());
        let component = component.ok_or(Fault::Unavailable("the component of a callee"))?;
        self.folder.callee(run).fill(component, &order.into()).map_err(|why| failed(&why))
    }

    fn keep(&self, finished: &Finished) -> Result<(), Fault> {
        let folder = self.folder.callee(&finished.journal.header().run);
        folder.seal(finished, &self.key).map_err(|why| failed(&why))
    }
}

/// A journal whose file is made with its first line: nobody may begin before the folder is there.
struct Late {
    folder: RunFolder,
    file: Option<envelope_gate::journal::InFile>,
}

impl Late {
    fn file(&mut self) -> Result<&mut envelope_gate::journal::InFile, Fault> {
        if self.file.is_none() {
            self.file = Some(self.folder.new_journal().map_err(|why| failed(&why))?);
        }
        self.file.as_mut().ok_or(Fault::Unavailable("a journal"))
    }
}

impl JournalWriter for Late {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.file()?.write(line)
    }

    fn pending(&self) -> usize {
        self.file.as_ref().map_or(0, JournalWriter::pending)
    }

    fn flush(&mut self, durable: bool) -> envelope_gate::journal::Writing<'_> {
        match &mut self.file {
            Some(file) => file.flush(durable),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }
}

fn failed(why: &BadFolder) -> Fault {
    Fault::Journal(why.to_string())
}
