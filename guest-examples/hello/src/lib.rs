//! The smallest agent.
use envelope_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// Who is greeted.
    pub name: String,
}

/// Greets someone in one line.
#[envelope_sdk::agent]
pub fn hello(_: &Ctx, ask: Ask) -> Result<String> {
    Ok(format!("Hello, {}!", ask.name))
}
