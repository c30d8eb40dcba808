//! An agent as its callers meet it: its card, its skills by name, its failures.

use std::io;

use crate::fake::Fake;
use crate::prelude::*;
use crate::{DeniedBy, Failure};

/// A request for a price.
#[derive(Deserialize, JsonSchema)]
struct Quote {
    /// What is wanted.
    items: Vec<Item>,
}

#[derive(Deserialize, JsonSchema)]
struct Item {
    name: String,
    #[serde(default)]
    count: u32,
}

#[derive(Serialize, JsonSchema)]
struct Price {
    cents: u64,
}

struct Desk;

/// A desk.
#[crate::agent]
impl Desk {
    /// Gives a price.
    ///
    /// In cents.
    #[skill]
    fn give_price(ctx: &Ctx, quote: Quote) -> Result<Price> {
        ctx.progress(1, 1, "pricing")?;
        let mut cents = 0;
        for item in quote.items {
            if item.name.is_empty() {
                Err(Fail::new(json!({ "nameless": item.count })))?;
            }
            cents += u64::from(item.count) * 100;
        }
        Ok(Price { cents })
    }

    /// Fails as files do.
    #[skill]
    fn read(_: &Ctx, kind: u8) -> Result<()> {
        let error = match kind {
            0 => io::Error::from(io::ErrorKind::PermissionDenied),
            1 => io::Error::from_raw_os_error(1),
            _ => io::ErrorKind::NotFound.into(),
        };
        Err(error).context("reading `a.txt`")
    }

    /// Asks a model.
    #[skill]
    fn think(ctx: &Ctx, _: NoArgs) -> Result<String, Fault> {
        ctx.model("fast").ask("Why?")
    }

    /// Its error is a failure.
    #[skill]
    fn refuse(_: &Ctx, _: NoArgs) -> std::result::Result<(), Fail> {
        Err(Fail::new(["no"]))
    }

    fn _not_a_skill() {}
}

fn invoke(fake: &Fake, skill: &str, args: &str) -> std::result::Result<String, Failure> {
    AGENT.invoke(&fake.ctx(), skill, args)
}

#[test]
fn the_card_is_the_same_bytes_and_comes_from_the_types() {
    assert_eq!(AGENT.card(), AGENT.card());
    let card: Value = serde_json::from_str(&AGENT.card()).unwrap();
    assert_eq!(card["name"], "envelope-sdk");
    assert_eq!(card["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(card["description"], env!("CARGO_PKG_DESCRIPTION"));
    let skills = card["skills"].as_array().unwrap();
    let names: Vec<_> = skills.iter().map(|skill| skill["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["give-price", "read", "think", "refuse"]);
    let price = json!({
        "description": "Gives a price.\n\nIn cents.",
        "input": {
            "$defs": {
                "Item": {
                    "properties": {
                        "count": {
                            "default": 0,
                            "format": "uint32",
                            "minimum": 0,
                            "type": "integer",
                        },
                        "name": { "type": "string" },
                    },
                    "required": ["name"],
                    "type": "object",
                },
            },
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "description": "A request for a price.",
            "properties": {
                "items": {
                    "description": "What is wanted.",
                    "items": { "$ref": "#/$defs/Item" },
                    "type": "array",
                },
            },
            "required": ["items"],
            "title": "Quote",
            "type": "object",
        },
        "name": "give-price",
        "output": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": { "cents": { "format": "uint64", "minimum": 0, "type": "integer" } },
            "required": ["cents"],
            "title": "Price",
            "type": "object",
        },
    });
    assert_eq!(skills[0], price);
    let start = format!(r#"{{"description":"{}","name":"envelope-sdk","#, AGENT.description);
    assert!(AGENT.card().starts_with(&start), "members stand in order");
}

#[test]
fn a_skill_is_done_by_name() {
    let fake = Fake::default();
    let price = invoke(&fake, "give-price", r#"{"items":[{"name":"a","count":2},{"name":"b"}]}"#);
    assert_eq!(price.unwrap(), r#"{"cents":200}"#);
    assert_eq!(fake.lines(), [(Level::Info, "1/1 pricing".to_string())]);
    let unknown = invoke(&fake, "give_price", "{}").unwrap_err();
    assert_eq!(unknown, Failure::UnknownSkill("give_price".into()));
}

#[test]
fn wrong_arguments_are_told_by_their_field() {
    let wrong = |args| invoke(&Fake::default(), "give-price", args).unwrap_err().to_string();
    for (args, told) in [
        (r#"{"items":[{"name":"a"},{"name":7}]}"#, "`items[1].name`: invalid type: integer `7`"),
        (r#"{"items":[{"name":"a","count":-1}]}"#, "`items[0].count`: invalid value"),
        (r#"{}"#, "missing field `items`"),
        (r#"{"items":[]} {}"#, "trailing characters"),
        ("", "EOF"),
    ] {
        let said = wrong(args);
        assert!(said.starts_with(&format!("the arguments do not fit: {told}")), "{said}");
    }
}

#[test]
fn failures_are_documents() {
    let fake = Fake::default();
    let failed = |skill, args| {
        let failure = invoke(&fake, skill, args).unwrap_err();
        let Failure::Failed(document) = failure else { panic!("{failure}") };
        document
    };
    let nameless = failed("give-price", r#"{"items":[{"name":"","count":3}]}"#);
    assert_eq!(nameless, json!({ "nameless": 3 }));
    assert_eq!(failed("refuse", "{}"), json!(["no"]));
    assert_eq!(failed("read", "2"), json!({ "error": "reading `a.txt`: entity not found" }));
    assert!(failed("read", "0").get("denied").is_none(), "nothing was denied yet");
    let thought = failed("think", "{}");
    assert_eq!(thought["denied"]["code"], "policy.not-granted");
    assert!(thought["error"].as_str().unwrap().starts_with("denied (policy.not-granted): "));
    assert_eq!(fake.ctx().last_denial().unwrap().by, DeniedBy::Policy);
    assert_eq!(failed("read", "0")["denied"]["code"], "policy.not-granted");
    assert!(failed("read", "1").get("denied").is_none(), "`EPERM` is no refusal of the gate");
}

#[test]
fn an_error_tells_its_causes_once() {
    let cause = || Err::<(), _>(io::Error::other("the disk is wet"));
    let twice = cause().context("saving").context("closing the shop").unwrap_err();
    assert_eq!(twice.to_string(), "closing the shop: saving: the disk is wet");
    let quoted = cause().context("failed, as the disk is wet").unwrap_err();
    assert_eq!(quoted.to_string(), "failed, as the disk is wet");
    assert!(twice.find::<io::Error>().is_some());
    assert_eq!(Error::msg("no").to_string(), "no");
}

#[test]
fn notes_and_outputs_go_to_the_host() {
    let fake = Fake::default();
    let ctx = fake.ctx();
    assert!(ctx.outputs().is_err());
    ctx.warn("careful");
    ctx.log(Level::Debug, "seen", json!({ "rows": 3 })).unwrap();
    ctx.log(Level::Error, "bare", ()).unwrap();
    assert!(matches!(ctx.log(Level::Info, "list", [1]), Err(Fault::Invalid(_))));
    ctx.emit("half").unwrap();
    let lines: Vec<_> = fake.lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["careful", r#"seen {"rows":3}"#, "bare"]);
    assert_eq!(fake.chunks(), ["half"]);
    assert_eq!(fake.outputs("out/").ctx().outputs().unwrap().to_str(), Some("out/"));
}

#[test]
fn humans_answer_as_a_test_wants() {
    use crate::approvals::{Answer, NoAnswer, Scope};

    let fake = Fake::default();
    let wish = Scope::because("the prices").read(["prices/*.csv"]).hosts(["example.org"]);
    assert_eq!(fake.ctx().request_scope(&wish).unwrap_err().denial().unwrap().code.len(), 18);
    let error = fake.ctx().choose("Which?", ["a", "b"]).unwrap_err();
    assert!(error.denial().is_some());

    let fake = fake.human_allows().human_says(Answer::Choice(1));
    let fake = fake.human_says(Answer::Declined("no time".into())).human_says(Answer::Expired);
    let fake = fake.human_says(Answer::Document("7".into()));
    let granted = fake.ctx().request_scope(&wish).unwrap();
    assert_eq!((granted.scope.read, granted.scope.ttl), (vec!["prices/*.csv".to_string()], 600));
    assert_eq!(fake.wishes().len(), 2);
    assert_eq!(fake.ctx().choose("Which?", ["a", "b"]), Ok(1));
    let declined = NoAnswer::Declined("no time".into());
    assert_eq!(fake.ctx().choose("Which?", ["a", "b"]), Err(declined));
    let late = fake.ctx().ask_for::<u8>("How many?").unwrap_err();
    assert_eq!(late.find::<NoAnswer>(), Some(&NoAnswer::Expired));
    assert_eq!(fake.ctx().ask_for::<u8>("How many?").unwrap(), 7);
}

/// What the caller of the skill reads of a question that could not be asked.
#[test]
fn a_question_that_is_denied_names_the_denial() {
    let ctx = Fake::default().ctx();
    let error = Error::from(ctx.choose("Which?", ["a"]).unwrap_err());
    assert_eq!(error.document(&ctx)["denied"]["code"], "policy.not-granted");
}

#[test]
fn agents_return_as_a_test_wants() {
    let fake = Fake::default().agent_returns("[1,2]");
    let part = crate::agents::Delegation::default();
    let ctx = fake.ctx();
    let peer = ctx.agent("specialist@local");
    assert_eq!(peer.call::<Vec<u8>>("list", &(), &part).unwrap(), [1, 2]);
    assert!(peer.call::<Vec<u8>>("list", &(), &part).is_err());
    assert_eq!(fake.errands().len(), 2);
}
