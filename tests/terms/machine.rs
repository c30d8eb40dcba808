//! State × event tables: found by exploring a machine, printed for review, and used to judge walks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What each event does in each state.
#[derive(Default)]
pub struct Table {
    states: Vec<String>,
    cells: BTreeMap<(String, String), Vec<String>>,
}

impl Table {
    /// Notes that `event` in `state` comes to `outcome`.
    pub fn note(&mut self, state: &str, event: &str, outcome: String) {
        if !self.states.iter().any(|known| known == state) {
            self.states.push(state.to_owned());
        }
        let cell = self.cells.entry((state.to_owned(), event.to_owned())).or_default();
        if !cell.contains(&outcome) {
            cell.push(outcome);
            cell.sort();
        }
    }

    /// Whether `event` in `state` may come to `outcome`.
    pub fn has(&self, state: &str, event: &str, outcome: &str) -> bool {
        let cell = self.cells.get(&(state.to_owned(), event.to_owned()));
        cell.is_some_and(|cell| cell.iter().any(|known| known == outcome))
    }

    /// The table as a reviewer reads it.
    pub fn text(&self, title: &str) -> String {
        let mut text = format!("# {title}: what each event does in each state\n");
        for state in &self.states {
            writeln!(text, "\n{state}").unwrap();
            let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for ((_, event), cell) in self.cells.iter().filter(|((at, _), _)| at == state) {
                for outcome in cell {
                    match outcome.strip_prefix("refused ") {
                        Some(code) => refused.entry(code).or_default().push(event),
                        None => writeln!(text, "    {event:<28} -> {outcome}").unwrap(),
                    }
                }
            }
            for (code, events) in refused {
                writeln!(text, "    {code}: {}", events.join(", ")).unwrap();
            }
        }
        text
    }
}

/// `next` with what it asks of the world.
pub fn outcome<'a>(next: &str, effects: impl IntoIterator<Item = &'a str>) -> String {
    let effects: Vec<_> = effects.into_iter().collect();
    if effects.is_empty() { next.to_owned() } else { format!("{next} [{}]", effects.join(", ")) }
}

/// The first word of a serialised effect: its kind.
pub fn kind(effect: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(effect).unwrap();
    let inner = &value["effect"]["kind"];
    let outer = value["kind"].as_str().unwrap();
    inner.as_str().map_or(outer.to_owned(), |inner| format!("{outer}.{inner}"))
}
