//! Hash-linked chains: every link carries, as `prev`, the digest of the bytes before it. Whoever
//! holds the newest digest can tell that nothing before it was changed, dropped or reordered.

use serde::{Serialize, de::DeserializeOwned};

use crate::Digest;
use crate::canonical::{self, Refused};

/// A document that names the one before it.
pub trait Link {
    /// The digest of the previous link's bytes, or nothing in the first link.
    fn prev(&self) -> Option<Digest>;
}

/// The end of a chain, moved on by writing or reading one link after the other. Links may be of
/// different types: a header first, entries after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chain {
    head: Option<Digest>,
    links: u64,
}

impl Chain {
    /// The digest of the newest link, which the next one has to carry.
    pub const fn head(&self) -> Option<Digest> {
        self.head
    }

    /// The number of links.
    pub const fn links(&self) -> u64 {
        self.links
    }

    /// The canonical bytes of `link`, now the newest.
    pub fn write<L: Link + Serialize>(&mut self, link: &L) -> Result<Vec<u8>, Broken> {
        let bytes = canonical::of(link).map_err(|refused| self.unreadable(refused))?;
        self.accept(&bytes, link.prev())?;
        Ok(bytes)
    }

    /// Reads the next link from its canonical bytes.
    pub fn read<L: Link + DeserializeOwned>(&mut self, bytes: &[u8]) -> Result<L, Broken> {
        let link: L = canonical::read(bytes).map_err(|refused| self.unreadable(refused))?;
        self.accept(bytes, link.prev())?;
        Ok(link)
    }

    /// Moves on to a link whose bytes are `bytes` and which carries `prev`. A broken chain stays
    /// where it was.
    pub fn accept(&mut self, bytes: &[u8], prev: Option<Digest>) -> Result<(), Broken> {
        if prev != self.head {
            let (expected, found) = (self.head, prev);
            return Err(Broken { index: self.links, why: Fracture::Unlinked { expected, found } });
        }
        self.head = Some(Digest::of(bytes));
        self.links += 1;
        Ok(())
    }

    fn unreadable(&self, refused: Refused) -> Broken {
        Broken { index: self.links, why: Fracture::Unreadable(refused) }
    }
}

/// The first bad link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("link {index}: {why}")]
pub struct Broken {
    /// Its place, counted from zero.
    pub index: u64,
    /// What is wrong with it.
    pub why: Fracture,
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fracture {
    /// It follows other bytes than those before it.
    #[error("follows {}, but {} comes before it", spelled(*found), spelled(*expected))]
    Unlinked {
        /// The digest of the link before it.
        expected: Option<Digest>,
        /// The digest it carries.
        found: Option<Digest>,
    },
    /// It is not canonical JSON of the link's shape.
    #[error("{0}")]
    Unreadable(Refused),
}

fn spelled(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), |digest| format!("`{digest}`"))
}
