//! Who ends up with how much, and the next order on the way there.

use serde::{Deserialize, Serialize};

use crate::contract::{MinorUnits, Share, WHOLE};
use crate::escrow::{Book, Order, Payee};

/// What each has in the end, in smallest units. Together it is what the buyer paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    /// What goes back to the buyer.
    pub buyer: u64,
    /// What the developer earns.
    pub developer: u64,
    /// What the marketplace earns.
    pub marketplace: u64,
}

impl Division {
    /// Gives `refund` of what is held back to the buyer, or of what was paid out when nothing is
    /// held any more, and the rest to the developer and the marketplace. `funded` is what was paid
    /// in, `fee` what the marketplace earns of it when all is accepted. Rounded to the buyer.
    pub fn of(book: &Book, funded: u64, fee: u64, refund: Share) -> Self {
        let (developer, marketplace) = (book.paid(Payee::Developer), book.paid(Payee::Marketplace));
        if book.held() == 0 {
            let developer = developer.saturating_sub(share_up(developer, refund));
            let marketplace = marketplace.saturating_sub(share_up(marketplace, refund));
            let buyer = funded.saturating_sub(developer).saturating_sub(marketplace);
            return Self { buyer, developer, marketplace };
        }
        let back = share_up(book.held(), refund);
        let rest = book.held().saturating_sub(back);
        let fee = fee.saturating_sub(marketplace);
        let fee = fee.saturating_sub(share_up(fee, refund)).min(rest);
        let marketplace = marketplace.saturating_add(fee);
        let developer = developer.saturating_add(rest.saturating_sub(fee));
        let buyer = funded.saturating_sub(developer).saturating_sub(marketplace);
        Self { buyer, developer, marketplace }
    }

    /// Where the money is now, once nothing is held or moving.
    pub const fn actual(book: &Book, funded: u64) -> Self {
        Self {
            buyer: funded.saturating_sub(book.paid_in()),
            developer: book.paid(Payee::Developer),
            marketplace: book.paid(Payee::Marketplace),
        }
    }

    /// The same, but `payee` keeps what it has, at the buyer's expense.
    pub(super) fn without(mut self, payee: Payee, book: &Book, funded: u64) -> Self {
        match payee {
            Payee::Developer => self.developer = self.developer.max(book.paid(payee)),
            Payee::Marketplace => self.marketplace = self.marketplace.max(book.paid(payee)),
        }
        let paid = self.developer.saturating_add(self.marketplace);
        Self { buyer: funded.saturating_sub(paid), ..self }
    }

    /// All of it.
    pub const fn sum(&self) -> u64 {
        self.buyer.saturating_add(self.developer).saturating_add(self.marketplace)
    }

    /// The next order: first take back, then give back, then pay out. None when all is in place.
    pub(super) fn next(&self, book: &Book, funded: u64) -> Option<Order> {
        let payees = [(Payee::Developer, self.developer), (Payee::Marketplace, self.marketplace)];
        let reversals = payees.into_iter().filter_map(|(from, due)| {
            let amount = over(book.paid(from), due)?;
            Some(Order::Reverse { from, amount })
        });
        let returned = funded.saturating_sub(book.paid_in());
        let refund = over(self.buyer, returned).map(|amount| Order::Refund { amount });
        let releases = payees.into_iter().filter_map(|(to, due)| {
            let amount = over(due, book.paid(to))?;
            Some(Order::Release { to, amount, milestone: None })
        });
        reversals.chain(refund).chain(releases).next()
    }
}

/// By how much `more` exceeds `less`; none if it does not.
fn over(more: u64, less: u64) -> Option<MinorUnits> {
    MinorUnits::new(more.checked_sub(less)?).ok()
}

/// `share` of `amount`, rounded up.
pub(super) fn share_up(amount: u64, share: Share) -> u64 {
    let product = u128::from(amount) * u128::from(share.get());
    u64::try_from(product.div_ceil(u128::from(WHOLE))).unwrap_or(amount)
}
