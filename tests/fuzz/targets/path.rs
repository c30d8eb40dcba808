//! Lines of text as paths, prefixes and patterns: what is accepted stays inside its roots, reads
//! back as itself, and containment never promises more than matching keeps.
#![no_main]

use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::Pattern;
use libfuzzer_sys::fuzz_target;

/// Every line is held against every other: a few say as much as many.
const LINES_MAX: usize = 8;

fuzz_target!(|text: &str| {
    let lines: Vec<_> = text.split('\n').take(LINES_MAX).collect();
    let paths: Vec<_> = lines.iter().filter_map(|line| Path::parse(line).ok()).collect();
    let patterns: Vec<_> = lines.iter().filter_map(|line| Pattern::parse(line).ok()).collect();
    let prefixes: Vec<_> = lines.iter().filter_map(|line| Prefix::parse(line).ok()).collect();
    for path in &paths {
        stays_inside(path);
        for prefix in &prefixes {
            // `./` holds everything that has a path.
            let folder = Some(prefix.as_str()).filter(|text| *text != "./").unwrap_or_default();
            let below = path.as_str().strip_prefix(folder);
            assert_eq!(prefix.contains(path), below.is_some_and(|rest| !rest.is_empty()));
            assert_eq!(prefix.contains(path), Pattern::below(prefix).matches(path));
        }
    }
    for pattern in &patterns {
        assert_eq!(Pattern::parse(&pattern.to_string()).as_ref(), Ok(pattern));
        for parent in &patterns {
            let kept = |path: &Path| !pattern.matches(path) || parent.matches(path);
            assert!(!pattern.within(parent) || paths.iter().all(kept), "{pattern} in {parent}");
        }
    }
});

fn stays_inside(path: &Path) {
    let text = path.as_str();
    assert!(!text.contains(['\\', '*', '\0']) && text.len() <= 1024, "{text:?}");
    for segment in path.segments() {
        assert!(!["", ".", ".."].contains(&segment), "{text:?}");
    }
    let alone = Pattern::parse(text).unwrap();
    assert!(alone.matches(path) && alone.within(&alone));
}
