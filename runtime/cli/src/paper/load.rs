//! Papers from wherever they are: a source, a compiled Paper, the folder of a chain.

use std::path::{Path, PathBuf};

use envelope_terms::export::AcsVersion;
use envelope_terms::source::{self, Checked, Kind, Paper, Template};

use super::folder;
use crate::answer::Trouble;
use crate::disk::{self, Existing};

const HINT: &str = "give a source, a compiled Paper or the folder of a chain";

/// The Paper at `path`, compiled if it is a source.
pub(super) fn paper(path: &Path) -> Result<Paper, Trouble> {
    if disk::is_folder(path) {
        return folder::paper(&folder::read(path)?);
    }
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, HINT))?;
    match bytes.strip_suffix(b"\n").unwrap_or(&bytes) {
        json @ [b'{', ..] => Paper::read(json)
            .map_err(|why| Trouble::failed(format!("`{}`: {why}", path.display()), HINT)),
        _ => compiled(checked(path, &bytes, &[])?, AcsVersion::default()),
    }
}

/// The source at `path`, free of errors.
pub(super) fn source(path: &Path, templates: &[PathBuf]) -> Result<Checked, Trouble> {
    let hint = "a source is TOML between two lines `+++`, then Markdown: see `envelope paper new`";
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
    let templates = templates.iter().map(|path| template(path));
    checked(path, &bytes, &templates.collect::<Result<Vec<_>, _>>()?)
}

/// The template at `path`, if it is one of `kinds`.
pub(super) fn template_of(path: &Path, kinds: &[Kind]) -> Result<Template, Trouble> {
    let template = template(path)?;
    if kinds.contains(&template.kind()) {
        return Ok(template);
    }
    let wanted = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect::<Vec<_>>();
    let (file, kind, wanted) = (path.display(), template.kind().name(), wanted.join(" or "));
    let hint = "`envelope paper new --kind KIND` writes one to start from";
    Err(Trouble::usage(format!("`{file}` is of the kind `{kind}`, not {wanted}"), hint))
}

/// Whether a template is at `path`.
pub(super) fn is_template(path: &Path) -> bool {
    !disk::is_folder(path) && disk::read(path).is_ok_and(|bytes| Template::is_one(&bytes))
}

/// The template at `path`.
pub(super) fn template(path: &Path) -> Result<Template, Trouble> {
    let hint = "a template is a source without data but its title, as those in `policies/`";
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
    Template::parse(&path.display().to_string(), &bytes).map_err(Trouble::flawed)
}

/// The Paper of a source, which cites its policies for other engines.
pub(super) fn compiled(source: Checked, acs: AcsVersion) -> Result<Paper, Trouble> {
    source.paper(acs).map_err(|why| Trouble::failed(why, "see `envelope paper check`"))
}

/// What `--force` means.
pub(super) const fn existing(force: bool) -> Existing {
    if force { Existing::Replace } else { Existing::Keep }
}

fn checked(path: &Path, bytes: &[u8], templates: &[Template]) -> Result<Checked, Trouble> {
    source::check(&path.display().to_string(), bytes, templates).map_err(Trouble::flawed)
}
