//! What a model call costs: at worst, before it is sent, and truly, once the provider reported.

use std::num::NonZeroU32;

use envelope_evidence::{Usage, usage::Dimension, usage::MAX_EXACT};
use serde::{Deserialize, Serialize};

use super::money::{NanoUsd, PicoUsd, PicoUsdPerUnit, dollars};
use crate::{Code, Denial};

/// Context tiers of one price. Real price lists have at most five.
pub const TIERS_MAX: usize = 8;

/// The output below which an answer is rarely worth its input, when the agent names no floor.
pub const OUTPUT_FLOOR_DEFAULT: u64 = 256;

/// The price of one model: every field that changes what a call can cost at worst.
///
/// On paper, rates are decimal texts in dollars per million tokens, the fee is in dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft")]
pub struct Price {
    base: Rates,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tiers: Vec<Tier>,
    #[serde(with = "dollars", skip_serializing_if = "is_free")]
    request: NanoUsd,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output: Option<u64>,
}

/// Prices per token. What is not named costs what its kind costs: input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// A prompt token.
    pub input: PicoUsdPerUnit,
    /// A prompt token read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<PicoUsdPerUnit>,
    /// A prompt token written to the provider's cache for minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<PicoUsdPerUnit>,
    /// A prompt token written to the provider's cache for an hour or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_long: Option<PicoUsdPerUnit>,
    /// A token of the answer.
    pub output: PicoUsdPerUnit,
    /// A token of hidden reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<PicoUsdPerUnit>,
}

/// Rates for calls of more input than `above`; they hold for the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The tier begins one input token above this.
    pub above: u64,
    /// What tokens cost there.
    pub rates: Rates,
}

/// The bounds of a model call, known before it is sent and written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCall {
    /// No tokenizer can make more of the prompt: at most the UTF-8 bytes of the serialised request
    /// and a constant per message, or the context window.
    pub input: u64,
    /// The most tokens one answer may have, hidden reasoning included. Zero is for requests without
    /// an answer, such as embeddings: elsewhere some providers read it as no bound.
    pub max_output: u64,
    /// How many answers are asked for; each may be `max_output` long.
    pub choices: NonZeroU32,
    /// Whether the request lets the provider write to its cache, which may cost more than reading.
    pub writes_cache: bool,
}

/// What the provider says it billed. The fields do not overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Billed {
    /// Prompt tokens at the plain rate.
    pub input: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
    /// Prompt tokens written to the cache for minutes.
    pub cache_write: u64,
    /// Prompt tokens written to the cache for an hour or more.
    pub cache_write_long: u64,
    /// Tokens of the answers.
    pub output: u64,
    /// Tokens of hidden reasoning.
    pub reasoning: u64,
}

impl Price {
    /// A price of `base` rates, dearer or cheaper `tiers` above some input, and a fee per request.
    pub fn new(base: Rates, tiers: Vec<Tier>, request: NanoUsd) -> Result<Self, BadPrice> {
        if tiers.len() > TIERS_MAX {
            return Err(BadPrice::TooManyTiers);
        }
        let rising =
            tiers.iter().zip(tiers.iter().skip(1)).all(|(low, high)| low.above < high.above);
        if !rising {
            return Err(BadPrice::TierOrder);
        }
        Ok(Self { base, tiers, request, max_output: None })
    }

    /// The same price of a model that answers with at most `max_output` tokens: some providers
    /// refuse a request that asks for more.
    #[must_use]
    pub const fn with_max_output(mut self, max_output: Option<u64>) -> Self {
        self.max_output = max_output;
        self
    }

    /// `asked` with no longer an answer than the model can give.
    #[must_use]
    pub fn within(&self, asked: &ModelCall) -> ModelCall {
        let longest = self.max_output.unwrap_or(u64::MAX);
        ModelCall { max_output: asked.max_output.min(longest), ..*asked }
    }

    /// The most `call` can cost: every token at the dearest rate it could reach.
    pub fn worst(&self, call: &ModelCall) -> Result<NanoUsd, Denial> {
        let answers = u128::from(call.max_output) * u128::from(call.choices.get());
        let output = self.dearest(call, Rates::dearest_output).times(answers)?;
        self.worst_input(call)?.plus(output)?.round_up()
    }

    /// What to reserve for `call`: its worst cost and its most tokens.
    pub fn reservation(&self, call: &ModelCall) -> Result<Usage, Denial> {
        let money = Usage::ZERO.with(Dimension::NanoUsd, self.worst(call)?.get());
        let tokens = call.tokens().ok_or_else(|| too_long(call))?;
        money.and_then(|row| row.with(Dimension::Tokens, tokens)).ok_or_else(|| too_long(call))
    }

    /// `asked` with the longest answer that `left` affords, money and tokens both, or a denial when
    /// that is shorter than `floor` (and than what was asked for). It is never zero unless that was
    /// asked for, because there are providers that read a zero as no bound.
    ///
    /// The result's `max_output` has to be written into the request: a bound that the provider
    /// never sees bounds nothing.
    pub fn clamp(&self, asked: &ModelCall, left: &Usage, floor: u64) -> Result<ModelCall, Denial> {
        let afforded = self.affordable_output(asked, left)?;
        let max_output = asked.max_output.min(afforded.unwrap_or_default());
        if afforded.is_none() || max_output < floor.max(1).min(asked.max_output) {
            let what = match afforded {
                None => "the input alone is above what remains".to_owned(),
                Some(tokens) => format!("can afford {tokens} output tokens, fewer than {floor}"),
            };
            return Err(Denial::new(Code::BudgetExhausted, what));
        }
        Ok(ModelCall { max_output, ..*asked })
    }

    /// What the provider's report comes to.
    pub fn actual(&self, billed: &Billed) -> Result<NanoUsd, Denial> {
        let rates = self.rates_at(billed.prompt());
        rates
            .charges(billed)
            .into_iter()
            .try_fold(self.request.pico(), |sum, (rate, tokens)| {
                sum.plus(rate.times(tokens.into())?)
            })?
            .round_up()
    }

    /// What to settle for a call that was `billed` so. A report that no integer holds is booked as
    /// the largest amount, which is above every real hold: it opens the breaker.
    pub fn settlement(&self, billed: &Billed) -> Usage {
        let money = self.actual(billed).map_or(MAX_EXACT, NanoUsd::get);
        let tokens = billed.tokens().unwrap_or(MAX_EXACT).min(MAX_EXACT);
        let row = Usage::ZERO.with(Dimension::NanoUsd, money);
        row.and_then(|row| row.with(Dimension::Tokens, tokens)).unwrap_or_default()
    }

    /// Per answer, or `None` when not even the input is affordable.
    fn affordable_output(&self, asked: &ModelCall, left: &Usage) -> Result<Option<u64>, Denial> {
        let money = NanoUsd::new(left.get(Dimension::NanoUsd)).unwrap_or_default().pico();
        let tokens = left.get(Dimension::Tokens).checked_sub(asked.input);
        let (Some(money), Some(tokens)) = (money.minus(self.worst_input(asked)?), tokens) else {
            return Ok(None);
        };
        let choices = u128::from(asked.choices.get());
        let rate = u128::from(self.dearest(asked, Rates::dearest_output).get());
        // A rate of zero bounds nothing.
        let by_money = money.get().checked_div(rate * choices).unwrap_or(u128::MAX);
        let by_tokens = u128::from(tokens) / choices;
        Ok(Some(u64::try_from(by_money.min(by_tokens)).unwrap_or(u64::MAX)))
    }

    fn worst_input(&self, call: &ModelCall) -> Result<PicoUsd, Denial> {
        self.dearest(call, Rates::dearest_input).times(call.input.into())?.plus(self.request.pico())
    }

    /// The dearest of the base and of every tier that so much input could reach.
    fn dearest(
        &self,
        call: &ModelCall,
        of: impl Fn(&Rates, &ModelCall) -> PicoUsdPerUnit,
    ) -> PicoUsdPerUnit {
        let reached = self.tiers.iter().take_while(|tier| tier.above < call.input);
        reached.map(|tier| of(&tier.rates, call)).fold(of(&self.base, call), Ord::max)
    }

    fn rates_at(&self, input: u128) -> &Rates {
        let reached = self.tiers.iter().take_while(|tier| u128::from(tier.above) < input);
        reached.last().map_or(&self.base, |tier| &tier.rates)
    }
}

impl Rates {
    fn dearest_input(&self, call: &ModelCall) -> PicoUsdPerUnit {
        let read = self.input.max(self.cache_read.unwrap_or_default());
        let written = self.cache_write.max(self.cache_write_long).unwrap_or_default();
        if call.writes_cache { read.max(written) } else { read }
    }

    fn dearest_output(&self, _: &ModelCall) -> PicoUsdPerUnit {
        self.output.max(self.reasoning.unwrap_or_default())
    }

    fn charges(&self, billed: &Billed) -> [(PicoUsdPerUnit, u64); 6] {
        let long = self.cache_write_long.or(self.cache_write);
        [
            (self.input, billed.input),
            (self.cache_read.unwrap_or(self.input), billed.cache_read),
            (self.cache_write.unwrap_or(self.input), billed.cache_write),
            (long.unwrap_or(self.input), billed.cache_write_long),
            (self.output, billed.output),
            (self.reasoning.unwrap_or(self.output), billed.reasoning),
        ]
    }
}

impl ModelCall {
    /// The most tokens in and out, or `None` when they are too many to count.
    pub fn tokens(&self) -> Option<u64> {
        self.max_output.checked_mul(self.choices.get().into())?.checked_add(self.input)
    }
}

impl Billed {
    /// Every token, or `None` when they are too many to count.
    pub fn tokens(&self) -> Option<u64> {
        let answer = u128::from(self.output) + u128::from(self.reasoning);
        u64::try_from(self.prompt() + answer).ok()
    }

    fn prompt(&self) -> u128 {
        let parts = [self.input, self.cache_read, self.cache_write, self.cache_write_long];
        parts.into_iter().map(u128::from).sum()
    }
}

/// A price that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    /// The order decides which tier a call is in.
    #[error("the tiers of a price rise strictly by `above`")]
    TierOrder,
    /// More tiers than any list has.
    #[error("a price has at most {TIERS_MAX} tiers")]
    TooManyTiers,
}

/// The shape on paper.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    base: Rates,
    #[serde(default)]
    tiers: Vec<Tier>,
    #[serde(with = "dollars", default)]
    request: NanoUsd,
    max_output: Option<u64>,
}

impl TryFrom<Draft> for Price {
    type Error = BadPrice;

    fn try_from(draft: Draft) -> Result<Self, BadPrice> {
        let price = Self::new(draft.base, draft.tiers, draft.request)?;
        Ok(price.with_max_output(draft.max_output))
    }
}

fn is_free(fee: &NanoUsd) -> bool {
    *fee == NanoUsd::ZERO
}

fn too_long(call: &ModelCall) -> Denial {
    let ModelCall { input, max_output, choices, .. } = call;
    let what = format_args!("{input} input tokens and {choices} answers of {max_output}");
    Denial::new(Code::BudgetOverflow, what)
}
