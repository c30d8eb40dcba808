//! An agent that tries everything it must not do. `try-all` makes one attempt after another and
//! tells what each got; the other skills each abuse one thing until something stops them.

mod abuse;
mod ask;
mod files;
mod outside;

use envelope_sdk::prelude::*;

/// One thing that was tried.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Attempt {
    /// What was tried.
    pub tried: String,
    pub got: Got,
    /// The code of the refusal, when the host gave a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What it got.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Got {
    /// It was not done, with this error.
    Refused(String),
    /// It was done: under a grant of `docs/**` alone, nothing is.
    Done(String),
}

/// The attempts so far.
pub struct Attempts<'a> {
    ctx: &'a Ctx,
    made: Vec<Attempt>,
}

impl Attempts<'_> {
    /// Tries one thing and keeps what it got.
    fn attempt<T: ToString, E: ToString>(
        &mut self,
        what: impl Into<String>,
        attempt: impl FnOnce() -> Result<T, E>,
    ) {
        let before = self.ctx.last_denial();
        let got = match attempt() {
            Ok(done) => Got::Done(done.to_string()),
            Err(error) => Got::Refused(error.to_string()),
        };
        let denial = self.ctx.last_denial().filter(|denial| Some(denial) != before.as_ref());
        let code = denial.map(|denial| denial.code);
        self.made.push(Attempt { tried: what.into(), got, code });
    }
}

/// How much of a thing.
#[derive(Deserialize, JsonSchema)]
pub struct Amount {
    /// How often, or how many; without end when absent.
    pub count: Option<u64>,
}

impl Amount {
    /// Counts up to the amount.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        0..self.count.unwrap_or(u64::MAX)
    }
}

/// The agent.
pub struct Hostile;

#[envelope_sdk::agent]
impl Hostile {
    /// Tries to read, write, link, connect, start and ask for what was not granted, and tells what
    /// each attempt got.
    #[skill]
    fn try_all(ctx: &Ctx, _: NoArgs) -> Result<Vec<Attempt>> {
        let mut attempts = Attempts { ctx, made: Vec::new() };
        files::reads(&mut attempts);
        files::links(&mut attempts);
        files::writes(&mut attempts);
        outside::network(&mut attempts);
        outside::exfiltration(&mut attempts);
        outside::machine(&mut attempts);
        ask::capabilities(&mut attempts);
        ask::artifacts(&mut attempts);
        Ok(attempts.made)
    }

    /// Computes without end.
    #[skill]
    fn spin(_: &Ctx, amount: Amount) -> Result<u64> {
        Ok(abuse::spin(&amount))
    }

    /// Takes memory, a mebibyte at a time, until there is no more, and tells how many it got.
    #[skill]
    fn hog(_: &Ctx, amount: Amount) -> Result<u64> {
        Ok(abuse::hog(&amount))
    }

    /// Calls the host without end.
    #[skill]
    fn flood(ctx: &Ctx, amount: Amount) -> Result<u64> {
        Ok(abuse::flood(ctx, &amount))
    }

    /// Notes lines without end, until the host refuses one.
    #[skill]
    fn chatter(ctx: &Ctx, amount: Amount) -> Result<u64> {
        Ok(abuse::chatter(ctx, &amount)?)
    }

    /// Fills the outputs, a mebibyte at a time, until the host refuses one.
    #[skill]
    fn fill(ctx: &Ctx, amount: Amount) -> Result<u64> {
        abuse::fill(ctx, &amount)
    }

    /// Opens files and closes none, until the host refuses one, and tells how many it got.
    #[skill]
    fn handles(ctx: &Ctx, amount: Amount) -> Result<u64> {
        abuse::handles(ctx, &amount)
    }

    /// Calls itself without end.
    #[skill]
    fn recurse(_: &Ctx, amount: Amount) -> Result<u64> {
        Ok(abuse::recurse(amount.count.unwrap_or(u64::MAX)))
    }

    /// Panics.
    #[skill]
    fn panic(_: &Ctx, _: NoArgs) -> Result<()> {
        panic!("on purpose")
    }

    /// Ends the program from within.
    #[skill]
    fn exit(_: &Ctx, _: NoArgs) -> Result<()> {
        std::process::exit(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn what_the_host_denies_is_told_with_its_code() {
        let fake = Fake::default();
        let ctx = fake.ctx();
        let mut attempts = Attempts { ctx: &ctx, made: Vec::new() };
        ask::capabilities(&mut attempts);
        assert!(attempts.made.iter().all(|made| matches!(made.got, Got::Refused(_))));
        assert_eq!(attempts.made[0].code.as_deref(), Some("policy.not-granted"));
    }

    #[test]
    fn the_abuses_end_when_they_are_told_to() {
        let amount = Amount { count: Some(3) };
        let ctx = Fake::default().ctx();
        assert_eq!(abuse::flood(&ctx, &amount), 3);
        assert_eq!(abuse::chatter(&ctx, &amount), Ok(3));
        assert_eq!(abuse::hog(&amount), 3);
        assert_eq!(abuse::recurse(3), 3);
    }
}
