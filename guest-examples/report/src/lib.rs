//! Makes a report from a table: totals by group in Markdown, the same in JSON, and a plot. The
//! table is read with the `csv` crate, as it is; the results are files below the outputs prefix and
//! named artifacts of the receipt.

mod money;
mod plot;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use envelope_sdk::prelude::*;

use crate::money::Money;

/// What to report on.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// The table, a CSV file with a header.
    pub table: PathBuf,
    /// The column to group by.
    pub group: String,
    /// The column to add up: amounts with at most two decimals.
    pub amount: String,
}

/// The totals, and where the report lies.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    pub report: PathBuf,
    pub rows: usize,
    pub total: Money,
    pub groups: BTreeMap<String, Money>,
}

/// What a table lacks, for the caller to read.
#[derive(Debug, Serialize)]
struct NoColumn<'a> {
    error: &'static str,
    column: &'a str,
    columns: Vec<&'a str>,
}

/// Adds up a column of a table by group, and draws the totals.
#[envelope_sdk::agent]
pub fn report(ctx: &Ctx, ask: Ask) -> Result<Done> {
    let (rows, groups) = read(&ask)?;
    ctx.info(format!("{rows} rows in {} groups", groups.len()));
    let plot = plot::bars(&format!("{} by {}", ask.amount, ask.group), &groups);
    let total = groups.values().copied().sum();
    let page = page(&ask, rows, total, &groups);
    let folder = ctx.outputs()?;
    fs::create_dir_all(&folder).context(format!("making `{}`", folder.display()))?;
    for (name, media_type, text) in [
        ("report.md", "text/markdown", page),
        ("plot.svg", "image/svg+xml", plot),
        ("totals.json", "application/json", json!(groups).to_string()),
    ] {
        save(&folder.join(name), &text)?;
        ctx.artifact(name, media_type, text)?;
    }
    Ok(Done { report: folder.join("report.md"), rows, total, groups })
}

fn save(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(format!("writing `{}`", path.display()))
}

/// Reads the table and adds up its groups.
fn read(ask: &Ask) -> Result<(usize, BTreeMap<String, Money>)> {
    let file = fs::File::open(&ask.table).context(format!("opening `{}`", ask.table.display()))?;
    let mut table = csv::Reader::from_reader(file);
    let header = table.headers()?.clone();
    let column = |column: &str| {
        let missing = || {
            let columns = header.iter().collect();
            Fail::new(NoColumn { error: "the table has no such column", column, columns })
        };
        header.iter().position(|name| name == column).ok_or_else(missing)
    };
    let (group, amount) = (column(&ask.group)?, column(&ask.amount)?);
    let (mut rows, mut groups) = (0, BTreeMap::<String, Money>::new());
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let money: Money = field(amount).parse().context(format!("line {line}"))?;
        *groups.entry(field(group).into()).or_default() += money;
        rows += 1;
    }
    Ok((rows, groups))
}

fn page(ask: &Ask, rows: usize, total: Money, groups: &BTreeMap<String, Money>) -> String {
    let Ask { table, group, amount } = ask;
    let mut page = format!(
        "# {amount} by {group}\n\n{rows} rows of `{}`, {total} in all.\n\n\
         ![{amount} by {group}](plot.svg)\n\n| {group} | {amount} |\n|---|---:|\n",
        table.display()
    );
    for (name, money) in groups {
        page += &format!("| {name} | {money} |\n");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    fn ask(group: &str) -> Ask {
        Ask { table: "../data/sales.csv".into(), group: group.into(), amount: "amount".into() }
    }

    #[test]
    fn the_sales_add_up() {
        let outputs = std::env::temp_dir().join(format!("envelope-report-{}", std::process::id()));
        let fake = Fake::default().outputs(outputs.to_str().unwrap());
        let done = report(&fake.ctx(), ask("region")).unwrap();
        assert_eq!(done.groups.values().copied().sum::<Money>(), done.total);
        assert_eq!((done.rows, done.groups.len()), (24, 4));
        let artifacts = fake.artifacts();
        assert_eq!(Vec::from_iter(artifacts.keys()), ["plot.svg", "report.md", "totals.json"]);
        assert_eq!(fs::read(done.report).unwrap(), artifacts["report.md"].bytes);
        fs::remove_dir_all(outputs).unwrap();
    }

    #[test]
    fn a_missing_column_is_a_failure_for_the_caller() {
        let error = report(&Fake::default().ctx(), ask("planet")).unwrap_err();
        let document = error.find::<Fail>().unwrap().document();
        assert_eq!(document["column"], "planet");
        assert_eq!(document["columns"][1], "region");
    }
}
