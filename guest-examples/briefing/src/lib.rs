//! Has a model say in a sentence what each document is about. The budget is the host's: the agent
//! asks until it is denied, and says what it could not afford.

use std::fs;
use std::path::{Path, PathBuf};

use envelope_sdk::prelude::*;

/// Tokens of one sentence, generously.
const SENTENCE_TOKENS_MAX: u32 = 64;

/// What to brief, and whom to ask.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// The folder with the documents (`.md` and `.txt`), such as `docs`.
    pub folder: PathBuf,
    /// The model, by its name in the price book.
    pub model: String,
}

/// What came of it.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Done {
    pub briefing: PathBuf,
    pub documents: usize,
    /// Documents for which the budget was too small.
    pub unaffordable: Vec<PathBuf>,
    /// What was paid, in billionths of a dollar.
    pub nano_usd: u64,
    /// Whether the words are made up: a stub only plays a model.
    pub stub: bool,
}

/// Has a model brief the documents in a folder, one sentence each.
#[envelope_sdk::agent]
pub fn brief(ctx: &Ctx, ask: Ask) -> Result<Done> {
    let model = ctx.model(&ask.model);
    let outputs = ctx.outputs()?;
    let briefing = outputs.join("briefing.md");
    let mut page = "# Briefing\n".to_string();
    let mut done = Done {
        briefing: briefing.clone(),
        documents: 0,
        unaffordable: Vec::new(),
        nano_usd: 0,
        stub: false,
    };
    for path in documents(&ask.folder).context(format!("listing `{}`", ask.folder.display()))? {
        let text = fs::read_to_string(&path).context(format!("reading `{}`", path.display()))?;
        let mut request = model.request(format!("In one sentence, what is this about?\n\n{text}"));
        request.max_output = SENTENCE_TOKENS_MAX;
        match model.complete(&request) {
            Ok(reply) => {
                page += &format!("\n- `{}`: {}\n", path.display(), reply.text().trim());
                done.documents += 1;
                done.nano_usd += reply.usage.nano_usd;
                done.stub |= reply.stub;
            }
            Err(fault) => match fault.denial() {
                Some(denial) if denial.code.starts_with("budget.") => {
                    ctx.warn(format!("not affordable: `{}`: {}", path.display(), denial.detail));
                    done.unaffordable.push(path);
                }
                _ => Err(fault).context("asking the model")?,
            },
        }
    }
    fs::create_dir_all(&outputs).context(format!("making `{}`", outputs.display()))?;
    fs::write(&briefing, page).context(format!("writing `{}`", briefing.display()))?;
    Ok(done)
}

/// The documents in `folder`, in order.
fn documents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "md" || end == "txt"));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn what_is_not_answered_is_a_failure_and_what_is_stands_in_the_briefing() {
        let out = std::env::temp_dir().join(format!("briefing-{}", std::process::id()));
        let ask = || Ask { folder: "../data/docs".into(), model: "any".into() };
        let fake = Fake::default().outputs(format!("{}/", out.display()));
        assert!(brief(&fake.ctx(), ask()).is_err(), "no model answers");
        let fake = ["One.", "Two.", "Three."].into_iter().fold(fake, Fake::model_says);
        let done = brief(&fake.ctx(), ask()).unwrap();
        assert_eq!((done.documents, done.stub), (3, true));
        let page = fs::read_to_string(done.briefing).unwrap();
        assert!(page.contains("airlock.md`: One."), "{page}");
        fs::remove_dir_all(out).unwrap();
    }
}
