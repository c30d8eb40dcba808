//! `envelope paper show`: a Paper, or another document, in plain words.

use std::path::PathBuf;

use clap::Args;
use envelope_terms::document::{Body, Document, Terms, Text};
use serde_json::json;

use super::{folder, load};
use crate::answer::{Answer, Trouble};
use crate::page::{plain, plain_lines};

/// Show the prose of a Paper, its values filled in, and the digests that fix it
///
/// Of a template it shows the words with their slots.
#[derive(Args)]
pub(crate) struct Show {
    /// A source, a template, a compiled Paper or the folder of a chain
    paper: PathBuf,

    /// Show the document at this place of the chain instead, counted from 0
    #[arg(long, value_name = "PLACE")]
    document: Option<u64>,
}

impl Show {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        if let Some(seq) = self.document {
            return shown(&folder::document(&folder::read(&self.paper)?, seq)?);
        }
        if load::is_template(&self.paper) {
            let template = load::template(&self.paper)?;
            let (digest, title) = (template.digest(), template.title());
            let data = json!({ "kind": template.kind(), "title": title, "digest": digest,
                "terms": template.terms(), "words": template.text() });
            let page = plain_lines(template.text());
            let note = format!("{}\ntemplate     {digest}\n", lines(template.terms()));
            return Ok(Answer { note, ..Answer::page("template", page, data) });
        }
        let paper = load::paper(&self.paper)?;
        let hashes = &paper.hashes;
        let rows = [
            ("contract", hashes.contract),
            ("criteria", hashes.criteria),
            ("fingerprint", hashes.fingerprint),
            ("prose", hashes.prose),
            ("template", hashes.template),
        ];
        let rows = rows.map(|(name, digest)| format!("{name:<11}  {digest}\n")).concat();
        let page = plain_lines(&paper.prose);
        let mut answer = Answer::page("paper", page, json!({ "paper": paper }));
        answer.note = format!("\n{rows}");
        Ok(answer)
    }
}

/// One document of a chain.
fn shown(document: &Document) -> Result<Answer, Trouble> {
    let (kind, id) = (document.kind(), document.id());
    let Some(prose) = document.text().map(Text::prose) else {
        let what =
            format!("document {} is a side letter, which only its readers read", document.seq());
        return Err(Trouble::failed(what, "`envelope paper open FOLDER --key FILE`"));
    };
    let terms = match &document.node().body {
        Body::Tos(it) | Body::BaseTerms(it) | Body::Schedule(it) | Body::Msa(it) => {
            lines(&it.terms)
        }
        Body::Paper(_) | Body::Amendment(_) | Body::SideLetter(_) => String::new(),
    };
    let data = json!({ "id": id, "seq": document.seq(), "kind": kind, "prose": prose,
        "body": document.node().body });
    let note = format!("{terms}\n{kind:<11}  {id}\n");
    Ok(Answer { note, ..Answer::page("document", plain_lines(prose), data) })
}

fn lines(terms: &Terms) -> String {
    terms.iter().map(|(name, value)| format!("{} = {}\n", plain(name), plain(value))).collect()
}
