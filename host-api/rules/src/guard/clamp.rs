//! The longest answer that is allowed and affordable, and whose limit made it so long.

use envelope_evidence::usage::{MAX_EXACT, Usage};
use envelope_evidence::{Dimension, Timestamp};

use crate::budget::{Meter, ModelCall};
use crate::denial::{Code, Denial};
use crate::guard::warrant::ModelRule;
use crate::guard::{Authority, Capability};

/// The bounds to write into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clamped {
    /// What may be asked for.
    pub bounds: ModelCall,
    /// Whose limit made the answer shorter than was wished for, if one did.
    pub because: Option<String>,
}

/// The longest answer to `asked` of `model` that the warrant allows, the model can give and every
/// account affords; a denial where that is shorter than `floor`. Nothing is set aside yet.
///
/// The denial names the tightest of the caps: that of one call, or an account.
pub fn clamp(
    asked: &ModelCall,
    model: &str,
    floor: u64,
    authority: &Authority<'_>,
    meter: &Meter,
    now: Timestamp,
) -> Result<Clamped, Denial> {
    let fits = within(asked, model, authority, now)?;
    meter.check_breaker()?;
    let rule = authority.warrant.model(model)?;
    let price = authority.operator.prices.price(model)?;
    let (ceiling, money) = (authority.ceiling(), Dimension::NanoUsd);
    let left = meter.headroom_within(&ceiling);
    let for_one = rule.nano_usd.unwrap_or(MAX_EXACT).min(left.get(money));
    let left = left.with(money, for_one).unwrap_or(left);
    let no_tokens_counted = left.with(Dimension::Tokens, MAX_EXACT).unwrap_or(left);
    let affordable = price.clamp(&fits, &left, floor);
    let money_alone = price.clamp(&fits, &no_tokens_counted, floor) == affordable;
    let tightest = || {
        let dimension = if money_alone { money } else { Dimension::Tokens };
        match rule.nano_usd.filter(|most| dimension == money && *most == for_one) {
            Some(most) => format!("one call of `{model}`: nano_usd at most {most}"),
            None => meter.tightest_within(&ceiling, dimension),
        }
    };
    match affordable {
        Err(denial) if denial.code() == Code::BudgetExhausted => {
            let what = format_args!("{}; {}", tightest(), denial.detail());
            Err(Denial::new(Code::BudgetExhausted, what))
        }
        Err(denial) => Err(denial),
        Ok(bounds) if bounds.max_output < fits.max_output => {
            Ok(Clamped { bounds, because: Some(tightest()) })
        }
        Ok(bounds) if bounds.max_output < asked.max_output => {
            let most = bounds.max_output;
            Ok(Clamped { bounds, because: Some(format!("`{model}`: at most {most} tokens")) })
        }
        Ok(bounds) => Ok(Clamped { bounds, because: None }),
    }
}

/// What of `asked` the warrant allows and the model can give, whatever it costs; a denial where the
/// model may not be called, has no price, or nobody locked by what its work is judged.
pub fn within(
    asked: &ModelCall,
    model: &str,
    authority: &Authority<'_>,
    now: Timestamp,
) -> Result<ModelCall, Denial> {
    super::check_capability(Capability::Model, authority, now)?;
    let rule = authority.warrant.model(model)?;
    let within = authority.operator.prices.price(model)?.within(asked);
    Ok(ModelCall { max_output: within.max_output.min(rule.max_output), ..within })
}

/// Whether one call stays below what one call may cost.
pub(super) fn admit_one(rule: &ModelRule, worst: &Usage) -> Result<(), Denial> {
    let (wanted, model) = (worst.get(Dimension::NanoUsd), &rule.model);
    let Some(most) = rule.nano_usd.filter(|most| wanted > *most) else { return Ok(()) };
    let what = format_args!("one call of `{model}`: nano_usd wanted {wanted}, at most {most}");
    Err(Denial::new(Code::BudgetExhausted, what))
}
