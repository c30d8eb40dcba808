//! `envelope init`: the first organisation of a house, which keeps it, and the first key.

use std::collections::BTreeSet;

use clap::Args;
use envelope_engine::config::Machine;
use envelope_market::identity::organisation::{Joined, NewOrganisation, Owner, found};
use envelope_market::{Role, Who};
use envelope_node::now;
use envelope_terms::contract::{Email, Title};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::models::Providers;
use crate::serve::market;
use crate::store::{HouseFlags, wait};

/// Found a house: the organisation that keeps it, its first operator, and a key for them
///
/// Makes the database if there is none. The key is shown this once, on stdout; whoever has it can
/// let other organisations join.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  founded
  1  there is such an organisation already, or the database refused
  2  the input cannot be used

Examples:
  envelope init --org house
  export ENVELOPE_KEY=$(envelope init --org house --email ops@example.org)")]
pub(crate) struct Init {
    #[command(flatten)]
    house: HouseFlags,
    /// What it is called
    #[arg(long, value_name = "TEXT", default_value = "The house")]
    name: String,
    /// Who keeps it
    #[arg(long, value_name = "TEXT", default_value = "Operator")]
    person: String,
    /// Where they are reached
    #[arg(long, value_name = "ADDRESS", default_value = "operator@localhost.example")]
    email: String,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Init {
    pub(crate) fn run(self) -> Exit {
        let json = self.json;
        give(wait(self.found()), json)
    }

    async fn found(self) -> Result<Answer, Trouble> {
        let org = self.house.org()?;
        let wrong = |why: &dyn std::fmt::Display, flag: &str| {
            Trouble::usage(why, format!("give another `--{flag}`"))
        };
        let owner = Owner {
            name: Title::new(&self.person).map_err(|why| wrong(&why, "person"))?,
            email: Email::new(&self.email).map_err(|why| wrong(&why, "email"))?,
        };
        let name = Title::new(&self.name).map_err(|why| wrong(&why, "name"))?;
        let new = NewOrganisation { id: org.to_string(), name, owner };
        let house = self.house.made().await?;
        let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
        let market = market(house, &machine, "localhost".to_owned(), &Providers::default())?;
        // Nobody is there yet: whoever holds the database founds the house.
        let nobody = Who::house(org);
        let joined = market.act((&nobody, now()), &new, |market, turn, new| {
            let roles = BTreeSet::from([Role::Operator, Role::Owner]);
            Box::pin(found(market, turn, new.clone(), roles))
        });
        let Joined { organisation, owner, key } = joined.await.map_err(|why| {
            Trouble::failed(why, "a house is founded once; its operators make other keys")
        })?;
        let token = key.token.unwrap_or_default();
        let data = json!({ "organisation": organisation, "owner": owner, "key": token });
        Ok(Answer::page("init", format!("{token}\n"), data))
    }
}
