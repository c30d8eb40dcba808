//! From what a guest wrote to the one path that is judged and opened.
//!
//! A guest names files relative to a folder it holds open, with whatever dots and slashes its
//! language likes. There are no symlinks, so the text alone decides which path that is, but for one
//! thing: POSIX walks `a/../b` through `a`, which has to be a folder. Those are given back, and the
//! caller looks.

use envelope_rules::path::Path;

use super::error::FsError;

/// The longest text a guest may name a file by: what POSIX systems take.
pub const GUEST_PATH_BYTES_MAX: usize = 4096;

/// The most folders one text may enter and leave again: each of them is looked at.
pub const CLIMBS_MAX: usize = 32;

/// How a text ends, where that says more than the path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a name: anything may be there, or nothing.
    Name,
    /// With a slash: what is there is a folder.
    Slash,
    /// With `.` or `..`: what is there is a folder, and POSIX lets nobody remove it by this name.
    Dots,
}

/// What a guest's text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The path that is judged and opened.
    pub path: Path,
    /// How the text ends.
    pub ending: Ending,
    /// The folders that it enters and leaves again, in that order: each must be there and be a
    /// folder.
    pub through: Vec<Path>,
}

impl Resolved {
    /// Whether the text says that a folder is there.
    pub const fn wants_folder(&self) -> bool {
        !matches!(self.ending, Ending::Name)
    }
}

/// The path that `text` names, seen from the folder `base`. A text that leaves `base` is not
/// permitted, though it might come back: that would tell what lies outside.
pub fn resolve(base: &Path, text: &str) -> Result<Resolved, FsError> {
    if text.is_empty() {
        return Err(FsError::NoEntry);
    }
    if text.len() > GUEST_PATH_BYTES_MAX {
        return Err(FsError::NameTooLong);
    }
    if text.contains('\0') {
        return Err(FsError::Invalid);
    }
    if text.starts_with('/') {
        return Err(FsError::NotPermitted);
    }
    let mut path = base.clone();
    let mut through = Vec::new();
    let mut depth = 0_usize;
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                depth = depth.checked_sub(1).ok_or(FsError::NotPermitted)?;
                let above = path.parent().ok_or(FsError::NotPermitted)?;
                through.push(std::mem::replace(&mut path, above));
            }
            name => {
                path = path.join(name)?;
                depth += 1;
            }
        }
    }
    if through.len() > CLIMBS_MAX {
        return Err(FsError::NameTooLong);
    }
    Ok(Resolved { path, ending: ending(text), through })
}

fn ending(text: &str) -> Ending {
    match text.rsplit('/').next() {
        Some("") => Ending::Slash,
        Some("." | "..") => Ending::Dots,
        Some(_) | None => Ending::Name,
    }
}

#[cfg(test)]
mod tests {
    use envelope_rules::path::Flaw;

    use super::*;

    fn path(text: &str) -> Path {
        if text == "." { Path::root() } else { Path::parse(text).unwrap() }
    }

    #[test]
    fn dots_and_slashes_lead_where_posix_leads() {
        for (base, text, wanted, ending, through) in [
            (".", ".", ".", Ending::Dots, &[][..]),
            (".", "a", "a", Ending::Name, &[]),
            (".", "./a//b/./c", "a/b/c", Ending::Name, &[]),
            (".", "a/", "a", Ending::Slash, &[]),
            (".", "a/.", "a", Ending::Dots, &[]),
            (".", "a/..", ".", Ending::Dots, &["a"]),
            (".", "a/b/../../c", "c", Ending::Name, &["a/b", "a"]),
            ("x/y", "a/../b", "x/y/b", Ending::Name, &["x/y/a"]),
            ("x", ".", "x", Ending::Dots, &[]),
            ("x", "./", "x", Ending::Slash, &[]),
            (".", "...", "...", Ending::Name, &[]),
        ] {
            let resolved = resolve(&path(base), text).unwrap();
            assert_eq!(resolved.path, path(wanted), "{text}");
            assert_eq!(resolved.ending, ending, "{text}");
            assert_eq!(resolved.through, through.iter().map(|text| path(text)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_leaves_the_base_is_not_permitted() {
        for text in ["..", "../x", "a/../..", "a/../../x/a", "/", "/a", "//a", "./.."] {
            assert_eq!(resolve(&path("x"), text), Err(FsError::NotPermitted), "{text}");
            assert_eq!(resolve(&path("."), text), Err(FsError::NotPermitted), "{text}");
        }
    }

    #[test]
    fn what_no_file_is_called() {
        let long = "s".repeat(256);
        let deep = "a/".repeat(33);
        let text = "./".repeat(GUEST_PATH_BYTES_MAX);
        let climbs = "a/../".repeat(CLIMBS_MAX + 1);
        for text in [&long, &deep, &text, &climbs, &format!("{long}/..")] {
            assert_eq!(resolve(&path("."), text), Err(FsError::NameTooLong), "{text}");
        }
        assert_eq!(resolve(&path("."), ""), Err(FsError::NoEntry));
        assert_eq!(resolve(&path("."), "a\0b"), Err(FsError::Invalid));
        for (text, flaw) in [
            ("e\u{301}", Flaw::NotNfc),
            ("a*", Flaw::Star),
            ("a\\b", Flaw::Backslash),
            ("a\u{202e}", Flaw::Invisible),
            ("a\n/..", Flaw::Invisible),
        ] {
            let Err(FsError::IllegalByteSequence(bad)) = resolve(&path("."), text) else {
                panic!("{text}");
            };
            assert_eq!(bad.flaw, flaw, "{text}");
        }
    }
}
