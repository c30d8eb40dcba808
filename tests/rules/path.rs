//! One spelling per file, and none that leaves the workspace.

use std::path::{Component, Path as OsPath};

use envelope_rules::path::{BadPath, Flaw, PATH_BYTES_MAX, Path, Prefix, SEGMENT_BYTES_MAX};
use proptest::prelude::*;

/// The first text is refused for `flaw` at byte `at`; the second, its nearest neighbour, is a path.
fn check(refused: &str, flaw: Flaw, at: usize, accepted: &str) {
    assert_eq!(Path::parse(refused), Err(BadPath { flaw, at }), "`{refused:?}`");
    assert_eq!(Path::parse(accepted).map(|path| path.to_string()), Ok(accepted.to_owned()));
}

#[test]
fn what_is_no_path_and_its_nearest_neighbour() {
    check("", Flaw::Nothing, 0, "a");
    check("/rfp/a.pdf", Flaw::Absolute, 0, "rfp/a.pdf");
    check("//rfp", Flaw::Absolute, 0, "rfp");
    check("rfp//a.pdf", Flaw::EmptySegment, 4, "rfp/a.pdf");
    check("rfp/", Flaw::EmptySegment, 4, "rfp");
    check("rfp/../secret.pdf", Flaw::Dots, 4, "rfp/..secret.pdf");
    check("..", Flaw::Dots, 0, "...");
    check("rfp/./a.pdf", Flaw::Dots, 4, "rfp/.a.pdf");
    check("a/.", Flaw::Dots, 2, "a/.b");
    check("rfp\\a.pdf", Flaw::Backslash, 3, "rfp/a.pdf");
    check("..\\secret", Flaw::Backslash, 2, "..secret");
    check("a\0.pdf", Flaw::Invisible, 1, "a0.pdf");
    check("a\n", Flaw::Invisible, 1, "a");
    check("a\u{85}", Flaw::Invisible, 1, "aà");
    check("rfp/\u{202e}fdp.exe", Flaw::Invisible, 4, "rfp/fdp.exe");
    check("a\u{200b}b", Flaw::Invisible, 1, "a\u{200c}b");
    check("\u{feff}a", Flaw::Invisible, 0, "a");
    check("rfp/*.pdf", Flaw::Star, 4, "rfp/x.pdf");
    check("caf/cafe\u{301}", Flaw::NotNfc, 7, "caf/café");
    check("\u{212b}ngström", Flaw::NotNfc, 0, "Ångström");
    check("\u{1112}\u{1161}\u{11ab}", Flaw::NotNfc, 0, "한");
}

#[test]
fn percent_signs_and_case_are_letters() {
    for text in ["%2e%2e/a", "RFP/A.pdf", "~/a", "C:/a", "rfp/a b", "-rf", "[final]?.pdf"] {
        assert!(Path::parse(text).is_ok(), "{text}");
    }
    assert_ne!(Path::parse("RFP/a"), Path::parse("rfp/a"));
}

#[test]
fn limits_hold_to_the_byte() {
    let segment = |bytes| "s".repeat(bytes);
    let long = segment(SEGMENT_BYTES_MAX);
    check(&format!("a/{long}s"), Flaw::SegmentTooLong, 2 + SEGMENT_BYTES_MAX, &long);
    let full = [&*long, &long, &long, &segment(SEGMENT_BYTES_MAX)].join("/");
    assert_eq!(full.len(), PATH_BYTES_MAX - 1);
    check(&format!("{full}/s"), Flaw::TooLong, PATH_BYTES_MAX, &full);
    let deep = ["a"; 32].join("/");
    check(&format!("{deep}/a"), Flaw::TooDeep, 64, &deep);
}

#[test]
fn a_prefix_is_a_folder_and_says_so() {
    let prefix = Prefix::parse("rfp/draft/").unwrap();
    for (text, below) in [
        ("rfp/draft/a", true),
        ("rfp/draft/a/b", true),
        ("rfp/draft", false),
        ("rfp/drafts/a", false),
        ("rfp/Draft/a", false),
        ("a/rfp/draft/a", false),
    ] {
        assert_eq!(prefix.contains(&Path::parse(text).unwrap()), below, "{text}");
    }
    for (text, flaw) in [
        ("rfp/draft", Flaw::NoFinalSlash),
        ("", Flaw::NoFinalSlash),
        ("/", Flaw::Nothing),
        ("rfp//", Flaw::EmptySegment),
        ("rfp/../", Flaw::Dots),
        (".", Flaw::NoFinalSlash),
        ("../", Flaw::Dots),
        ("././", Flaw::Dots),
        ("*/", Flaw::Star),
    ] {
        assert_eq!(Prefix::parse(text).unwrap_err().flaw, flaw, "{text}");
    }
    let prefix = |text| Prefix::parse(text).unwrap();
    assert!(prefix("a/b/").within(&prefix("a/")) && prefix("a/").within(&prefix("a/")));
    assert!(!prefix("a/").within(&prefix("a/b/")) && !prefix("ab/").within(&prefix("a/")));
}

/// Whoever lets everything be written says so, and the folder of everything is not among it.
#[test]
fn the_root_is_a_prefix_that_is_spelled_out() {
    let (root, folder) = (Prefix::parse("./").unwrap(), Prefix::parse("a/").unwrap());
    assert!(root.is_root() && !folder.is_root());
    assert_eq!((root.to_string().as_str(), root.folder()), ("./", Path::root()));
    for below in ["a", "a/b", ".a", "..a/b"] {
        let path = Path::parse(below).unwrap();
        assert!(root.contains(&path) && !root.is_reached_through(&path), "{below}");
    }
    assert!(!root.contains(&Path::root()) && root.is_reached_through(&Path::root()));
    assert!(folder.within(&root) && root.within(&root) && !root.within(&folder));
    let json = serde_json::to_string(&root).unwrap();
    assert_eq!(serde_json::from_str::<Prefix>(&json).unwrap(), root);
}

#[test]
fn the_root_is_named_and_never_parsed() {
    let root = Path::root();
    assert_eq!((root.as_str(), root.to_string().as_str()), (".", "."));
    assert!(root.is_root() && root.segments().next().is_none());
    assert_eq!((root.name(), root.parent()), (None, None));
    assert_eq!(Path::parse(".").unwrap_err().flaw, Flaw::Dots);
    assert!(serde_json::from_str::<Path>(r#"".""#).is_err());
    assert!(serde_json::from_str::<Path>(r#""a/b""#).is_ok());
    assert!(!Path::parse(".a").unwrap().is_root());
    assert!(!Prefix::parse("a/").unwrap().contains(&root));
}

#[test]
fn up_and_down() {
    let path = |text: &str| Path::parse(text).unwrap();
    assert_eq!(path("a/b").parent(), Some(path("a")));
    assert_eq!(path("a").parent(), Some(Path::root()));
    assert_eq!((path("a/b").name(), path("a").name()), (Some("b"), Some("a")));
    assert_eq!(Path::root().join("a"), Ok(path("a")));
    assert_eq!(path("a").join("b"), Ok(path("a/b")));
    let flaw = |name| path("a").join(name).unwrap_err().flaw;
    for (name, wanted) in [("", Flaw::EmptySegment), ("..", Flaw::Dots), ("b/c", Flaw::Slash)] {
        assert_eq!(flaw(name), wanted, "{name}");
        assert!(Path::root().join(name).is_err());
    }
    assert_eq!(path(&["a"; 32].join("/")).join("a").unwrap_err().flaw, Flaw::TooDeep);
    let prefix = Prefix::parse("a/b/").unwrap();
    assert_eq!(prefix.folder(), path("a/b"));
    for through in [Path::root(), path("a"), path("a/b")] {
        assert!(prefix.is_reached_through(&through), "{through}");
    }
    for aside in ["b", "a/c", "a/b/c", "a/bc", "aa"] {
        assert!(!prefix.is_reached_through(&path(aside)), "{aside}");
    }
}

/// Texts near the border: separators, dots and marks are likelier than letters.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec!["a", "B", "é", ".", "..", "/", "*", " ", "ü", "0", "語"]),
        1 => prop::sample::select(vec!["\\", "\0", "//", "e\u{301}", "\u{202e}", "\r", "%2e", ":"]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// As the operating system reads it, an accepted path only ever descends.
    #[test]
    fn an_accepted_path_stays_below_its_root(text in texts()) {
        if let Ok(path) = Path::parse(&text) {
            let os = OsPath::new(path.as_str());
            prop_assert!(os.components().all(|part| matches!(part, Component::Normal(_))));
            prop_assert_eq!(os.components().count(), path.segments().count());
            let rebuilt: Vec<_> = path.segments().collect();
            prop_assert_eq!(rebuilt.join("/"), text);
        }
    }

    /// The byte an error points at is inside the text or just behind it, on a letter's border.
    #[test]
    fn an_error_points_into_the_text(text in any::<String>()) {
        if let Err(bad) = Path::parse(&text) {
            prop_assert!(bad.at <= text.len());
            prop_assert!(bad.flaw == Flaw::SegmentTooLong || text.is_char_boundary(bad.at));
        }
    }
}
