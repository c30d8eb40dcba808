//! Which models a run may call, who answers for them, and what that may cost: flags and their
//! meaning.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use envelope_evidence::canonical;
use envelope_evidence::preview::{SECRET_BYTES_MIN, Secrets};
use envelope_gate::model::{
    Anthropic, Key, Models, OpenAi, OverHttp, OverNetwork, Policy, Provider, Purse, Stub,
    Surroundings, tell,
};
use envelope_rules::budget::{NanoUsd, PicoUsdPerUnit, Price, PriceBook, Rates};
use envelope_rules::egress::target::Target;
use zeroize::Zeroizing;

use crate::answer::Trouble;
use crate::breaker::LocalPurse;

/// The prices that this program knows.
const PRICES: &[u8] = include_bytes!("../../../policies/prices.json");

/// The provider that only plays a model.
const STUB: &str = "stub";

/// What the stub costs, in dollars per million tokens: as much as a small model, so that a budget
/// can be seen at work.
const STUB_RATES: (&str, &str) = ("1", "4");

const OPENAI: (&str, &str) = ("openai", "https://api.openai.com/v1");
const ANTHROPIC: (&str, &str) = ("anthropic", "https://api.anthropic.com/v1");

/// What is said about models on the command line.
#[derive(Args, Default)]
pub(crate) struct ModelFlags {
    /// A model it may call, by its name in the price book: `openai/gpt-4o-mini`, `stub/any`
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    #[command(flatten)]
    providers: Providers,
    /// What it may spend on models, in US dollars. A model whose provider charges more than was set
    /// aside is asked nothing more by any run of this machine: see `envelope breaker`
    #[arg(long, value_name = "USD", default_value = "0")]
    budget: NanoUsd,
    /// Another price book than the one that comes with this program
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// Who answers.
#[derive(Args, Clone, Default)]
pub(crate) struct Providers {
    /// Who answers: `openai=URL` and others of its kind, `anthropic=URL`, or `stub`. The key is
    /// read from the variable of the provider's name, as in `OPENAI_API_KEY`; the agent never sees
    /// it
    #[arg(long = "provider", value_name = "NAME[=URL]")]
    providers: Vec<String>,
}

impl ModelFlags {
    /// The stub under a budget, for the demonstration.
    pub(crate) fn stub(model: &str, budget: NanoUsd) -> Self {
        let providers = Providers { providers: vec![STUB.to_owned()] };
        Self { models: vec![model.to_owned()], providers, budget, prices: None }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.models
    }

    pub(crate) const fn providers(&self) -> &Providers {
        &self.providers
    }

    pub(crate) const fn money(&self) -> NanoUsd {
        self.budget
    }

    /// The prices of what may be called. A model without one is refused here, not in the run.
    pub(crate) fn book(&self) -> Result<PriceBook, Trouble> {
        if self.models.is_empty() {
            return Ok(PriceBook::default());
        }
        let book = self.known()?;
        let source = book.source().cloned();
        let named = self.models.iter().map(|model| match book.price(model) {
            Ok(price) => Ok((model.clone(), price.clone())),
            Err(_) if provider(model) == STUB => Ok((model.clone(), stub_price()?)),
            Err(_) => {
                let what = format!("`{model}` has no price");
                Err(Trouble::usage(what, "name a model of the price book, or give `--prices`"))
            }
        });
        let named = named.collect::<Result<Vec<_>, Trouble>>()?;
        let named = PriceBook::new(named).map_err(|why| Trouble::usage(why, "name it once"))?;
        Ok(source.map_or_else(|| named.clone(), |source| named.clone().taken_from(source)))
    }

    fn known(&self) -> Result<PriceBook, Trouble> {
        let advice = "make one with `envelope prices import`";
        let bytes = match &self.prices {
            Some(path) => crate::disk::read(path).map_err(|why| Trouble::usage(why, advice))?,
            None => PRICES.to_vec(),
        };
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        canonical::read(bytes)
            .map_err(|why| Trouble::usage(format!("no price book: {why}"), advice))
    }

    pub(crate) fn set_up(&self, secrets: &mut Secrets) -> Result<Option<Models>, Trouble> {
        self.providers.set_up(secrets)
    }
}

impl Providers {
    /// What every model costs that a contract may name here: those of the book of this program, and
    /// the stub where it plays one.
    pub(crate) fn prices(&self) -> Result<PriceBook, Trouble> {
        let bytes = PRICES.strip_suffix(b"\n").unwrap_or(PRICES);
        let book: PriceBook =
            canonical::read(bytes).map_err(|why| Trouble::failed(why, "tell us"))?;
        if !self.providers.iter().any(|provider| provider == STUB) {
            return Ok(book);
        }
        let known = book.models().map(|(name, price)| (name.to_owned(), price.clone()));
        let stub = [(format!("{STUB}/any"), stub_price()?)];
        PriceBook::new(known.chain(stub)).map_err(|why| Trouble::failed(why, "tell us"))
    }

    /// Whoever answers. What must be shown to nobody is added to `secrets`.
    pub(crate) fn set_up(&self, secrets: &mut Secrets) -> Result<Option<Models>, Trouble> {
        if self.providers.is_empty() {
            return Ok(None);
        }
        self.set_up_with(secrets, Arc::new(LocalPurse::at_home()?))
    }

    /// The same, where `purse` knows what is frozen.
    pub(crate) fn set_up_with(
        &self,
        secrets: &mut Secrets,
        purse: Arc<dyn Purse>,
    ) -> Result<Option<Models>, Trouble> {
        if self.providers.is_empty() {
            return Ok(None);
        }
        let mut providers = BTreeMap::new();
        for text in &self.providers {
            let (name, url) = text.split_once('=').unwrap_or((text, ""));
            providers.insert(name.to_owned(), open(name, url, secrets)?);
        }
        Ok(Some(Models::new(providers, Policy::default(), purse)))
    }
}

fn provider(model: &str) -> &str {
    model.split_once('/').map_or(model, |(provider, _)| provider)
}

fn stub_price() -> Result<Price, Trouble> {
    let bad = |why: String| Trouble::failed(why, "tell us");
    let rate = |text| PicoUsdPerUnit::per_million(text).map_err(|why| bad(why.to_string()));
    let (input, output) = (rate(STUB_RATES.0)?, rate(STUB_RATES.1)?);
    let (cache_read, cache_write, cache_write_long, reasoning) = (None, None, None, None);
    let rates = Rates { input, cache_read, cache_write, cache_write_long, output, reasoning };
    Price::new(rates, Vec::new(), NanoUsd::ZERO).map_err(|why| bad(why.to_string()))
}

fn open(name: &str, url: &str, secrets: &mut Secrets) -> Result<Arc<dyn Provider>, Trouble> {
    if name == STUB {
        return Ok(Arc::new(Stub::default()));
    }
    let known = [OPENAI, ANTHROPIC].into_iter().find(|(known, _)| *known == name);
    let url = match (url, known) {
        ("", Some((_, url))) => url,
        ("", None) => {
            let what = format!("`{name}` has no address");
            return Err(Trouble::usage(what, "write `--provider NAME=URL`"));
        }
        (url, _) => url,
    };
    let secret = key(name)?;
    let header = if name == ANTHROPIC.0 { "x-api-key" } else { "authorization" };
    let key = secret.as_ref().map(|secret| Key { header, secret });
    if key.as_ref().is_some_and(|key| !tell(key, secrets)) {
        let what = format!("`{}` holds fewer than {SECRET_BYTES_MIN} bytes", variable(name));
        return Err(Trouble::usage(what, "give the whole key: a shorter one cannot be masked"));
    }
    let way = OverNetwork::new(url, key.as_ref(), Surroundings::default());
    let way = way.map_err(|why| Trouble::usage(why, "write `--provider NAME=URL`"))?;
    let way = Arc::new(way);
    Ok(match name {
        _ if name == ANTHROPIC.0 => Arc::new(OverHttp::new(Anthropic, way)),
        _ if is_openai(url) => Arc::new(OverHttp::new(OpenAi::itself(), way)),
        _ => Arc::new(OverHttp::new(OpenAi::compatible(), way)),
    })
}

/// Whether `url` is an address of OpenAI's own, however it is spelled.
fn is_openai(url: &str) -> bool {
    let host = |url: &str| Target::parse("POST", url).ok().map(|target| target.host().to_string());
    host(url).is_some_and(|found| Some(found) == host(OPENAI.1))
}

/// The key of a provider.
#[expect(clippy::disallowed_methods, reason = "keys of providers are given in the environment")]
fn key(name: &str) -> Result<Option<Zeroizing<String>>, Trouble> {
    match std::env::var(variable(name)) {
        Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let what = format!("`{}` is not UTF-8", variable(name));
            Err(Trouble::usage(what, "give the key as the provider wrote it"))
        }
    }
}

/// Where the key of a provider is: `OPENAI_API_KEY` for `openai`.
fn variable(name: &str) -> String {
    format!("{}_API_KEY", name.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::is_openai;

    #[test]
    fn openai_is_known_by_its_host() {
        for url in [
            "https://api.openai.com/v1",
            "https://api.openai.com/v1/",
            "https://API.OpenAI.com:443/v1",
            "HTTPS://api.openai.com/v1",
        ] {
            assert!(is_openai(url), "{url}");
        }
        for url in [
            "https://api.openai.com.example.org/v1",
            "https://example.org/api.openai.com/v1",
            "http://127.0.0.1:9/v1",
            "nowhere",
        ] {
            assert!(!is_openai(url), "{url}");
        }
    }
}
