//! Reads the PDFs that it was handed and lists what they want. It sees those files and no others,
//! whatever folder it looks into, and what it writes appears in its caller's files.

use std::fs;
use std::path::{Path, PathBuf};

use envelope_sdk::prelude::*;

/// What such a line of a tender begins with.
const WISH: &str = "We want: ";

/// Where to look.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// The folder with the documents, such as `rfp`.
    pub folder: PathBuf,
}

/// One thing that is wanted.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Wish {
    pub count: u64,
    pub item: String,
}

/// Lists what the PDFs in a folder want.
#[envelope_sdk::agent]
pub fn list(ctx: &Ctx, ask: Ask) -> Result<Vec<Wish>> {
    let (mut wishes, mut page) = (Vec::new(), "# What is wanted\n".to_string());
    for path in documents(&ask.folder).context(format!("listing `{}`", ask.folder.display()))? {
        let bytes = fs::read(&path).context(format!("reading `{}`", path.display()))?;
        let lines = lines(&String::from_utf8_lossy(&bytes));
        for line in lines.iter().filter_map(|line| line.strip_prefix(WISH)) {
            let (count, item) = line.split_once(' ').unwrap_or(("1", line));
            let count = count.parse().context(format!("`{line}` of `{}`", path.display()))?;
            page += &format!("\n- {count} {item} (`{}`)", path.display());
            wishes.push(Wish { count, item: item.into() });
        }
    }
    let outputs = ctx.outputs()?;
    fs::create_dir_all(&outputs).context(format!("making `{}`", outputs.display()))?;
    fs::write(outputs.join("wishes.md"), page + "\n").context("writing `wishes.md`")?;
    Ok(wishes)
}

/// The PDFs in `folder`, in order.
fn documents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "pdf"));
    paths.sort();
    Ok(paths)
}

/// The lines of text that a plain PDF shows: `(…) Tj`.
fn lines(pdf: &str) -> Vec<String> {
    let shown = pdf.lines().filter_map(|line| line.split_once(") Tj"));
    shown.filter_map(|(line, _)| Some(line.split_once('(')?.1.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_sdk::fake::Fake;

    #[test]
    fn what_is_wanted_is_listed() {
        let out = std::env::temp_dir().join(format!("specialist-{}", std::process::id()));
        let fake = Fake::default().outputs(format!("{}/", out.display()));
        let wishes = list(&fake.ctx(), Ask { folder: "../data/rfp".into() }).unwrap();
        assert_eq!(wishes.len(), 4);
        assert_eq!(wishes[1], Wish { count: 40, item: "guided tours".into() });
        let page = fs::read_to_string(out.join("wishes.md")).unwrap();
        assert!(page.contains("- 3 night watches"), "{page}");
        fs::remove_dir_all(out).unwrap();
    }
}
