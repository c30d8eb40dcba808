//! Plans an offer. It hands the documents to a specialist, and nothing else of what it may do; then
//! it finds that it lacks the price list, and asks a human for it. Without it the offer has no sum.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use envelope_sdk::agents::Delegation;
use envelope_sdk::approvals::Scope;
use envelope_sdk::prelude::*;

/// Our prices, which the planner may not read by itself.
const PRICES: &str = "prices/list.csv";

/// Whom to have read the documents.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// The specialist, by its name, such as `specialist@local`.
    pub specialist: String,
}

/// One thing that is wanted.
#[derive(Deserialize)]
struct Wish {
    count: u64,
    item: String,
}

/// The offer.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Done {
    pub offer: PathBuf,
    /// What it comes to, in cents. None, if nobody let the planner see the prices.
    pub cents: Option<u64>,
    /// What is wanted and has no price.
    pub unpriced: Vec<String>,
}

/// Answers the tenders in `rfp` with an offer.
#[envelope_sdk::agent]
pub fn offer(ctx: &Ctx, ask: Ask) -> Result<Done> {
    let part = Delegation::default().files(["rfp/*.pdf"]).outputs("rfp/draft/");
    let folder = json!({ "folder": "rfp" });
    let wishes: Vec<Wish> = ctx.agent(&ask.specialist).call("list", &folder, &part)?;
    ctx.info(format!("{} things are wanted", wishes.len()));

    let reason = "The offer needs a sum, and our price list is not among what I may read.";
    let wish = Scope::because(reason).read(["prices/*.csv"]).ttl(Duration::from_secs(600));
    let prices = match ctx.request_scope(&wish) {
        Ok(granted) => {
            ctx.info(format!("allowed by {}", granted.approval));
            Some(prices(&fs::read_to_string(PRICES).context(format!("reading `{PRICES}`"))?))
        }
        Err(Fault::Denied(denial)) => {
            ctx.warn(format!("no prices: {}", denial.code));
            None
        }
        Err(fault) => Err(fault)?,
    };

    let outputs = ctx.outputs()?;
    let offer = outputs.join("offer.md");
    let (page, done) = write(offer, &wishes, prices.as_ref());
    fs::write(&done.offer, page).context(format!("writing `{}`", done.offer.display()))?;
    Ok(done)
}

fn write(
    offer: PathBuf,
    wishes: &[Wish],
    prices: Option<&BTreeMap<String, u64>>,
) -> (String, Done) {
    let mut done = Done { offer, cents: prices.map(|_| 0), unpriced: Vec::new() };
    let mut page = "# Offer\n".to_string();
    for Wish { count, item } in wishes {
        match prices.map(|prices| prices.get(item)) {
            Some(Some(cents)) => {
                let sum = count * cents;
                page += &format!("\n- {count} {item}: {}", dollars(sum));
                done.cents = done.cents.map(|all| all + sum);
            }
            Some(None) => {
                page += &format!("\n- {count} {item}: on request");
                done.unpriced.push(item.clone());
            }
            None => page += &format!("\n- {count} {item}"),
        }
    }
    let sum = done.cents.map_or_else(|| "to follow".to_string(), dollars);
    (page + &format!("\n\nIn all: {sum}\n"), done)
}

fn dollars(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn prices(table: &str) -> BTreeMap<String, u64> {
    let rows = table.lines().skip(1).filter_map(|row| row.split_once(','));
    rows.filter_map(|(item, cents)| Some((item.to_string(), cents.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn an_offer_has_a_sum_when_the_prices_are_known() {
        let wishes = [
            Wish { count: 2, item: "tours".into() },
            Wish { count: 1, item: "night watches".into() },
        ];
        let table = prices("item,cents\ntours,150\n");
        let (page, done) = write("offer.md".into(), &wishes, Some(&table));
        assert!(page.contains("- 2 tours: 3.00") && page.contains("In all: 3.00"), "{page}");
        assert_eq!((done.cents, done.unpriced), (Some(300), vec!["night watches".to_string()]));
        let (page, done) = write("offer.md".into(), &wishes, None);
        assert!(page.contains("In all: to follow"), "{page}");
        assert_eq!(done.cents, None);
    }

    #[test]
    fn a_no_is_no_reason_to_give_up() {
        let out = std::env::temp_dir().join(format!("planner-{}", std::process::id()));
        fs::create_dir_all(&out).unwrap();
        let fake = Fake::default().outputs(format!("{}/", out.display()));
        let fake = fake.agent_returns(r#"[{"count":2,"item":"tours"}]"#);
        let done = offer(&fake.ctx(), Ask { specialist: "specialist@local".into() }).unwrap();
        assert_eq!(done.cents, None);
        assert_eq!(fake.errands(), [("specialist@local".to_string(), "list".to_string())]);
        assert_eq!(fake.wishes()[0].read, ["prices/*.csv"]);
        fs::remove_dir_all(out).unwrap();
    }
}
