//! Output: data on stdout, everything else on stderr, colour only where it is welcome.
use std::fmt;
use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// A line of the answer. A reader that has gone away is no reason to fail.
pub(crate) fn line(text: impl fmt::Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// A line beside the answer, as it comes.
pub(crate) fn aside(text: impl fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Text of the answer, its lines ended.
pub(crate) fn text(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Bytes from outside as the answer: for a terminal without what it would act on, for whoever else
/// reads as they are, and only text has its last line ended.
pub(crate) fn bytes(bytes: &[u8]) {
    let out = std::io::stdout();
    if out.is_terminal() {
        return text(&plain_lines(&String::from_utf8_lossy(bytes)));
    }
    let is_open = |text: &str| !text.is_empty() && !text.ends_with('\n');
    let end: &[u8] = if std::str::from_utf8(bytes).is_ok_and(is_open) { b"\n" } else { b"" };
    let mut out = out.lock();
    let _ = out.write_all(bytes).and_then(|()| out.write_all(end)).and_then(|()| out.flush());
}

/// Text beside the answer, for people.
pub(crate) fn note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// A refusal, with what to do about it.
pub(crate) fn error(what: impl fmt::Display, hint: &str) {
    let mut out = anstream::stderr();
    let _ = writeln!(out, "{BAD}error{BAD:#}: {}", plain(what));
    let _ = writeln!(out, "{STRONG}hint{STRONG:#}: {hint}");
}

/// `text` in `style`.
pub(crate) fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Text from outside without the characters that a terminal would act on: control characters, and
/// those that are not seen or turn the direction of writing, so that a name reads as what it is.
pub(crate) fn plain(text: impl fmt::Display) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let spell = |c: char| if acts(c) { c.escape_default().collect() } else { c.to_string() };
    text.to_string().chars().map(spell).collect()
}

/// Like [`plain`] for text of several lines and columns.
pub(crate) fn plain_lines(text: &str) -> String {
    let columns = |line: &str| line.split('\t').map(plain).collect::<Vec<_>>().join("\t");
    text.split_inclusive('\n').map(|line| columns(line.trim_end_matches('\n')) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_act_on() {
        assert_eq!(plain("a\u{1b}[31mb\nc é"), "a\\u{1b}[31mb\\nc é");
        assert_eq!(plain_lines("a\tb\r\n\u{7}\tc"), "a\tb\\r\n\\u{7}\tc\n");
        assert_eq!(plain("fdp\u{202e}exe.\u{200b}"), "fdp\\u{202e}exe.\\u{200b}");
    }
}
