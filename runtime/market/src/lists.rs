//! Lists, page by page: what is one's own, and what others share.

use envelope_store::Org;
use envelope_store::noun::{Noun, Record};

use crate::turn::Shared;
use crate::turn::read;
use crate::{Refused, Turn};

/// At most `count` rows of whoever acts and of those that are shared with them, by id, from the one
/// after `after`. Their ids begin with `prefix`.
pub async fn page(
    turn: &mut Turn<'_>,
    (noun, prefix): (Noun, &str),
    after: &str,
    count: i64,
) -> Result<Vec<(Org, Record)>, Refused> {
    let own = turn.rows().page(noun, after, count).await?;
    let who = turn.who.org.clone();
    let mut all: Vec<_> = own.into_iter().map(|record| (who.clone(), record)).collect();
    let from = if after.is_empty() { prefix } else { after };
    for share in turn.rows().page(Noun::Share, from, count).await? {
        let Shared { owner, noun: shared } = read(&share)?;
        if shared != noun.table() || share.state != "open" {
            continue;
        }
        let owner = Org::new(&owner)?;
        let record = turn.tx.of(&owner).get(noun, &share.id).await?;
        all.extend(record.map(|record| (owner, record)));
    }
    all.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    all.truncate(usize::try_from(count).unwrap_or(0));
    Ok(all)
}
