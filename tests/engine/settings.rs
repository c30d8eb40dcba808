//! Another setting is another engine, and somebody has to mean it.

use std::fmt::Write as _;

use envelope_engine::config::{self, settings, settings_of_host};
use envelope_evidence::{Digest, canonical};

use super::machine;
use crate::golden;

#[test]
fn the_settings_are_the_ones_reviewed() {
    let digest = config::fingerprint().settings;
    let (guest, host) = (listed(settings()), listed(settings_of_host()));
    let text = format!(
        "# What every run's header pins, by its digest\n{guest}\n{digest}\n\n\
         # What no guest can tell\n{host}"
    );
    golden::check("engine-settings.txt", &text);
}

fn listed(settings: Vec<(String, String)>) -> String {
    let width = settings.iter().map(|(name, _)| name.len()).max().unwrap();
    settings.iter().fold(String::new(), |mut text, (name, value)| {
        writeln!(text, "{name:width$}  {value}").unwrap();
        text
    })
}

#[test]
fn the_digest_is_that_of_the_list() {
    let fingerprint = machine().fingerprint();
    assert_eq!(*fingerprint, config::fingerprint());
    assert_eq!(fingerprint.settings, Digest::of(&canonical::of(&settings()).unwrap()));
    let mut other = settings();
    other.last_mut().unwrap().1.push('0');
    assert_ne!(fingerprint.settings, Digest::of(&canonical::of(&other).unwrap()));
    assert_eq!(fingerprint.name.as_str(), "wasmtime");
    assert_eq!(fingerprint.version.as_str(), config::VERSION);
    assert_eq!(fingerprint.platform.as_str(), std::env::consts::ARCH);
}

#[test]
fn every_setting_has_a_name_of_its_own() {
    let mut names: Vec<_> =
        settings().into_iter().chain(settings_of_host()).map(|(name, _)| name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 80, "{count}");
}
