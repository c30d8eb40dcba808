//! What a run may do on the network: rules, exceptions for addresses, secrets at the edge.
#![expect(clippy::disallowed_methods, reason = "secrets are taken from the environment here alone")]

use std::path::PathBuf;

use clap::Args;
use envelope_evidence::preview::Secrets;
use envelope_gate::net::{Credential, Network, Reach, Roots, Settings};
use envelope_rules::egress::rule::RuleDocument;
use zeroize::Zeroizing;

use crate::answer::Trouble;

/// What goes with the requests of a run, whatever its rules.
#[derive(Args, Clone, Default)]
pub(crate) struct Edge {
    /// A host that may have addresses which are not public: `db.example.org=10.1.0.0/16`
    #[arg(long = "allow-address", value_name = "HOST=BLOCK")]
    allow_address: Vec<Reach>,
    /// A secret that the host adds to requests, and the agent never sees: the header, the
    /// environment variable that holds the value, and the requests it goes with, such as
    /// `authorization=API_KEY@GET https://api.example.org/v1/**`. In `authorization` a bare value
    /// is a bearer's
    #[arg(long = "secret", value_name = "HEADER=ENV@RULE")]
    secret: Vec<String>,
    /// A file of certificates, in PEM or DER, whose authorities are trusted beside the public ones
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The same, and no public authority is trusted
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    trust_only: Option<PathBuf>,
}

/// The network of a run.
#[derive(Args, Default)]
pub(crate) struct Net {
    /// A request it may send: methods, host and paths, such as `GET https://api.example.org/v1/**`;
    /// `?*` at the end allows any query, `?a&b` these keys. An address or `localhost` in a rule
    /// opens that address for it
    #[arg(long = "allow-net", value_name = "RULE")]
    allow_net: Vec<String>,
    #[command(flatten)]
    pub(crate) edge: Edge,
}

impl Net {
    /// The network of a run that may send what `rule` says.
    pub(crate) fn allowing(rule: &str) -> Self {
        Self { allow_net: vec![rule.to_owned()], edge: Edge::default() }
    }

    /// The rules.
    pub(crate) fn rules(&self) -> Result<Vec<RuleDocument>, Trouble> {
        self.allow_net.iter().map(|text| rule(text)).collect()
    }
}

impl Edge {
    /// The network under `rules`, and what must be kept out of every record. None without rules.
    pub(crate) fn network(
        &self,
        rules: &[RuleDocument],
    ) -> Result<(Option<Network>, Secrets), Trouble> {
        let mut secrets = Secrets::none();
        if rules.is_empty() {
            return if self.is_plain() { Ok((None, secrets)) } else { Err(useless()) };
        }
        let credentials = self.secret.iter().map(|text| credential(text));
        let credentials = credentials.collect::<Result<Vec<_>, _>>()?;
        credentials.iter().for_each(|credential| credential.tell(&mut secrets));
        let named = rules.iter().filter_map(Reach::named_by);
        let reach = named.chain(self.allow_address.iter().cloned()).collect();
        let roots = self.roots()?;
        let settings = Settings { reach, credentials, roots, ..Settings::default() };
        Ok((Some(Network::new(settings).map_err(untrusted)?), secrets))
    }

    /// Whether nothing is said.
    fn is_plain(&self) -> bool {
        let Self { allow_address, secret, trust, trust_only } = self;
        allow_address.is_empty() && secret.is_empty() && trust.is_none() && trust_only.is_none()
    }

    fn roots(&self) -> Result<Roots, Trouble> {
        let read = |path: &PathBuf| {
            let file = crate::disk::read(path).map_err(untrusted)?;
            Roots::read(&file).map_err(untrusted)
        };
        match (&self.trust, &self.trust_only) {
            (Some(path), _) => Ok(Roots::PublicAnd(read(path)?)),
            (None, Some(path)) => Ok(Roots::Only(read(path)?)),
            (None, None) => Ok(Roots::Public),
        }
    }
}

/// Whoever gives a secret to a run that sends nothing forgot something.
fn useless() -> Trouble {
    let what = "no request is allowed that secrets, addresses or certificates could go with";
    Trouble::usage(what, "allow one: `--allow-net 'GET https://api.example.org/v1/**'`")
}

fn untrusted(why: impl std::fmt::Display) -> Trouble {
    Trouble::usage(why, "`--trust` takes a file of root certificates")
}

fn rule(text: &str) -> Result<RuleDocument, Trouble> {
    let parsed = text.parse();
    parsed.map_err(|why| Trouble::usage(format!("`{text}`: {why}"), "see `envelope run --help`"))
}

/// What the variable holds is never repeated, nor what stands in its place: that may be the secret.
fn credential(text: &str) -> Result<Credential, Trouble> {
    let hint = "write `HEADER=ENV@RULE`";
    let shape = || Trouble::usage("what is given with `--secret` is not of its form", hint);
    let (header, rest) = text.split_once('=').ok_or_else(shape)?;
    let (variable, requests) = rest.split_once('@').ok_or_else(shape)?;
    if !is_variable(variable) {
        let what = format!("what stands between `{header}=` and `@` names no variable");
        return Err(Trouble::usage(what, "put the secret into a variable, and name that"));
    }
    let value = std::env::var(variable).map(Zeroizing::new).map_err(|_| {
        Trouble::usage(format!("the environment has no text `{variable}`"), "set it, and try again")
    })?;
    let bound = Credential::bind(header, &value, rule(requests)?);
    bound.map_err(|why| Trouble::usage(format!("`{header}`: {why}"), hint))
}

/// Variables are named as shells name them. Few secrets look like that.
pub(crate) fn is_variable(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_uppercase() || it == '_')
        && name.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_')
}
