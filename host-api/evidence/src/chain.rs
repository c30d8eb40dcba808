//! Hash-linked chains: every link names the digest of the bytes before it. Whoever holds the newest
//! digest can tell that nothing before it was changed, dropped or reordered.

use crate::Digest;

/// The end of a chain, moved on link by link, for whoever writes and whoever checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chain {
    head: Option<Digest>,
    links: u64,
}

impl Chain {
    /// A chain as somebody left it, who kept where it ended.
    pub const fn resumed(head: Option<Digest>, links: u64) -> Self {
        Self { head, links }
    }

    /// The digest of the newest link, which the next one has to name.
    pub const fn head(&self) -> Option<Digest> {
        self.head
    }

    /// The number of links.
    pub const fn links(&self) -> u64 {
        self.links
    }

    /// Moves on to a link whose bytes are `bytes` and which names `prev`, the first link nothing. A
    /// broken chain stays where it was.
    pub fn accept(&mut self, bytes: &[u8], prev: Option<Digest>) -> Result<(), Broken> {
        if prev != self.head {
            let why = Fracture { expected: self.head, found: prev };
            return Err(Broken { index: self.links, why });
        }
        self.head = Some(Digest::of(bytes));
        self.links += 1;
        Ok(())
    }
}

/// The first bad link of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("link {index} {why}")]
pub struct Broken {
    /// Its place, counted from zero.
    pub index: u64,
    /// What is wrong with it.
    pub why: Fracture,
}

/// A link that names other bytes than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("follows {}, but {} comes before it", spelled(found.as_ref()), spelled(expected.as_ref()))]
pub struct Fracture {
    /// The digest of the link before it.
    pub expected: Option<Digest>,
    /// The digest it names.
    pub found: Option<Digest>,
}

fn spelled(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), |digest| format!("`{digest}`"))
}
