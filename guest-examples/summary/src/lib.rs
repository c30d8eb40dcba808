//! Summarises the documents in a folder. It reads and writes with `std::fs` alone, as it would
//! anywhere, and treats a refusal as a value: a document it may not read is left out, and named.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use envelope_sdk::prelude::*;

/// What to summarise.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// The folder with the documents (`.md` and `.txt`), such as `docs`.
    pub folder: PathBuf,
}

/// What was read, and where the summary lies.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Done {
    pub summary: PathBuf,
    pub documents: usize,
    pub words: usize,
    /// Documents that could not be read.
    pub left_out: Vec<PathBuf>,
}

/// Summarises the documents in a folder: words, headings, first sentences.
#[envelope_sdk::agent(read = ["docs/**"], outputs = "out/")]
pub fn summary(ctx: &Ctx, ask: Ask) -> Result<Done> {
    let mut paths = Vec::new();
    find(&ask.folder, &mut paths).context(format!("listing `{}`", ask.folder.display()))?;
    let (mut documents, mut left_out) = (Vec::new(), Vec::new());
    for (at, path) in paths.iter().enumerate() {
        ctx.progress(at as u64, paths.len() as u64, &path.display().to_string())?;
        match fs::read_to_string(path) {
            Ok(text) => documents.push(Document::new(path, &text)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                ctx.warn(format!("left out `{}`: {error}", path.display()));
                left_out.push(path.clone());
            }
            Err(error) => Err(error).context(format!("reading `{}`", path.display()))?,
        }
    }
    let outputs = ctx.outputs()?;
    let summary = outputs.join("summary.md");
    fs::create_dir_all(&outputs).context(format!("making `{}`", outputs.display()))?;
    fs::write(&summary, page(&documents)).context(format!("writing `{}`", summary.display()))?;
    let words = documents.iter().map(|document| document.words).sum();
    Ok(Done { summary, documents: documents.len(), words, left_out })
}

/// Finds the documents in `folder` and below, in order.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "md" || end == "txt") {
            found.push(path);
        }
    }
    Ok(())
}

/// What the summary says of one document.
struct Document {
    path: PathBuf,
    words: usize,
    headings: Vec<String>,
    opening: String,
}

impl Document {
    fn new(path: &Path, text: &str) -> Self {
        let heading = |line: &str| line.starts_with('#');
        let headings = text.lines().filter(|line| heading(line));
        let prose: Vec<_> = text.lines().filter(|line| !heading(line)).collect();
        Self {
            path: path.into(),
            words: text
                .split_whitespace()
                .filter(|word| word.contains(char::is_alphanumeric))
                .count(),
            headings: headings.map(|line| line.trim_start_matches('#').trim().into()).collect(),
            opening: sentence(&prose.join(" ")),
        }
    }
}

/// The first sentence of a text.
fn sentence(text: &str) -> String {
    let words = text.split_whitespace();
    let mut sentence = Vec::new();
    for word in words {
        sentence.push(word);
        if word.ends_with(['.', '!', '?']) {
            break;
        }
    }
    sentence.join(" ")
}

fn page(documents: &[Document]) -> String {
    let words: usize = documents.iter().map(|document| document.words).sum();
    let mut page = format!("# Summary\n\n{} documents, {words} words.\n", documents.len());
    for document in documents {
        let Document { path, words, headings, opening } = document;
        page += &format!("\n## {}\n\n{words} words. {opening}\n", path.display());
        if !headings.is_empty() {
            page += "\n";
        }
        for heading in headings {
            page += &format!("- {heading}\n");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn a_document_is_told_by_its_words_headings_and_opening() {
        let text = "# Title\n\nOne thing.\nAnother!\n\n## More\n";
        let page = page(&[Document::new(Path::new("a.md"), text)]);
        let told = "# Summary\n\n1 documents, 5 words.\n\n\
                    ## a.md\n\n5 words. One thing.\n\n- Title\n- More\n";
        assert_eq!(page, told);
    }

    #[test]
    fn the_folder_is_read_and_the_summary_written() {
        let outputs = std::env::temp_dir().join(format!("envelope-summary-{}", std::process::id()));
        let fake = Fake::default().outputs(outputs.to_str().unwrap());
        let done = summary(&fake.ctx(), Ask { folder: "../data/docs".into() }).unwrap();
        assert_eq!((done.documents, done.left_out), (4, vec![]));
        let page = fs::read_to_string(done.summary).unwrap();
        assert!(page.contains("## ../data/docs/notes/meeting.md"), "{page}");
        fs::remove_dir_all(outputs).unwrap();
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = summary(&Fake::default().ctx(), Ask { folder: "none".into() }).unwrap_err();
        assert!(error.to_string().starts_with("listing `none`: "), "{error}");
    }
}
