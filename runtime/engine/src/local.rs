//! Runs on somebody's own machine: one folder holds all that a run was and all that a stranger
//! needs to play it again.

mod bounds;
mod folder;
mod job;
mod life;
mod neighbours;
mod pinned;
mod sealed;
mod world;

pub use bounds::Bounds;
pub use folder::{BadFolder, RunFolder};
pub use job::{BadJob, Fresh, Job, Keys, Wishes, grant_keys, service};
pub use life::{LifeLog, NotNoted};
pub use neighbours::{Hand, LocalRecords, neighbours};
pub use pinned::{OtherKeys, Pinned, Pins, regrant};
pub use sealed::sealed;
pub use world::LocalWorld;
