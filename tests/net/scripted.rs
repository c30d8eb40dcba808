//! A name service that says what a test wants, and counts what it is asked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use envelope_gate::net::{Failure, Names, Resolving};
use envelope_rules::egress::host::HostName;

/// Answers by name: one list for each question, the last one ever after.
#[derive(Clone, Default)]
pub struct Scripted {
    answers: BTreeMap<String, Vec<Vec<IpAddr>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// The same, and `name` has these addresses.
    pub fn with(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.answers.entry(name.to_owned()).or_default().push(addresses);
        self
    }

    /// Every question so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Names for Scripted {
    fn resolve<'a>(&'a self, name: &'a HostName) -> Resolving<'a> {
        let mut asked = self.asked.lock().unwrap();
        let before = asked.iter().filter(|it| *it == name.as_str()).count();
        asked.push(name.as_str().to_owned());
        let answers = self.answers.get(name.as_str());
        let answer = answers.and_then(|answers| answers.get(before).or(answers.last())).cloned();
        Box::pin(std::future::ready(answer.ok_or(Failure::NameUnknown)))
    }
}
