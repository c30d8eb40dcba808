//! The smallest agent: a name in, a greeting out.

use envelope_sdk::prelude::*;

/// Whom to greet.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    pub name: String,
}

/// Greets someone in one line.
#[envelope_sdk::agent]
pub fn hello(ctx: &Ctx, ask: Ask) -> Result<String> {
    ctx.info("greeting");
    Ok(format!("Hello, {}!", ask.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn it_greets() {
        let greeting = AGENT.invoke(&Fake::default().ctx(), "hello", r#"{"name":"Ada"}"#);
        assert_eq!(greeting.unwrap(), r#""Hello, Ada!""#);
    }
}
