//! Kill switches.

use envelope_evidence::{Digest, Label, Timestamp};
use envelope_rules::kill::{Event, SWITCHES_MAX, Subject, Switches, Target, Thrown};

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn thrown(reason: &str) -> Thrown {
    Thrown { by: label("ada"), reason: label(reason), at: Timestamp::from_secs(1).unwrap() }
}

fn why(switches: &Switches, run: &str, agent: &str, organisation: &str) -> Option<String> {
    why_under(switches, (run, agent, organisation), None)
}

fn why_under(
    switches: &Switches,
    (run, agent, organisation): (&str, &str, &str),
    paper: Option<Digest>,
) -> Option<String> {
    let (run, agent, organisation) = (label(run), label(agent), label(organisation));
    let subject = Subject { run: &run, agent: &agent, paper, organisation: Some(&organisation) };
    switches.standing(subject).map(|standing| standing.thrown.reason.to_string())
}

/// Whoever runs under it stops, and whoever runs under another, or under none, does not.
#[test]
fn a_switch_may_name_a_paper() {
    let (paper, other) = (Digest::of(b"paper"), Digest::of(b"other"));
    let mut switches = Switches::default();
    switches.throw(Target::Paper(paper), thrown("unpaid")).unwrap();
    let told = [Some(paper), Some(other), None].map(|it| why_under(&switches, ("r", "a", "o"), it));
    assert_eq!(told, [Some("unpaid".to_owned()), None, None]);
    switches.lift(&Target::Paper(paper)).unwrap();
    assert_eq!(why_under(&switches, ("r", "a", "o"), Some(paper)), None);
}

#[test]
fn a_switch_stops_whom_it_names_and_nobody_else() {
    let cases = [
        (Target::Run(label("r1")), ("r1", "a", "o"), ("r2", "a", "o")),
        (Target::Agent(label("a1")), ("r", "a1", "o"), ("r", "a2", "o")),
        (Target::Organisation(label("o1")), ("r", "a", "o1"), ("r", "a", "o2")),
    ];
    for (target, (run, agent, organisation), spared) in cases {
        let mut switches = Switches::default();
        assert_eq!(why(&switches, run, agent, organisation), None);
        assert_eq!(switches.throw(target, thrown("loops")), Ok(true));
        assert_eq!(why(&switches, run, agent, organisation), Some("loops".to_owned()));
        assert_eq!(why(&switches, spared.0, spared.1, spared.2), None);
    }
    // The name of a run is not that of an agent or an organisation.
    for target in [Target::Run, Target::Agent, Target::Organisation] {
        let mut switches = Switches::default();
        switches.throw(target(label("x")), thrown("loops")).unwrap();
        let stopped = [("x", "a", "o"), ("r", "x", "o"), ("r", "a", "x")]
            .map(|(run, agent, organisation)| why(&switches, run, agent, organisation).is_some());
        assert_eq!(stopped.iter().filter(|it| **it).count(), 1, "{:?}", target(label("x")));
    }
}

#[test]
fn the_one_above_all_stops_everybody_and_is_what_is_told() {
    let mut switches = Switches::default();
    switches.throw(Target::Run(label("r")), thrown("mine")).unwrap();
    switches.throw(Target::All, thrown("fire")).unwrap();
    assert_eq!(why(&switches, "r", "a", "o"), Some("fire".to_owned()));
    assert_eq!(why(&switches, "x", "y", "z"), Some("fire".to_owned()));
}

#[test]
fn the_first_reason_stays() {
    let mut switches = Switches::default();
    assert_eq!(switches.throw(Target::All, thrown("first")), Ok(true));
    assert_eq!(switches.throw(Target::All, thrown("second")), Ok(false));
    assert_eq!(why(&switches, "r", "a", "o"), Some("first".to_owned()));
}

#[test]
fn when_there_is_no_room_whole_agents_can_still_be_stopped() {
    let mut switches = Switches::default();
    for at in 0..SWITCHES_MAX {
        switches.throw(Target::Run(label(&at.to_string())), thrown("one")).unwrap();
    }
    assert!(switches.throw(Target::Run(label("r")), thrown("more")).is_err());
    assert_eq!(why(&switches, "r", "a", "o"), None);
    for (target, reason) in [
        (Target::Agent(label("a")), "agent"),
        (Target::Organisation(label("o")), "organisation"),
        (Target::All, "all"),
    ] {
        assert_eq!(switches.throw(target, thrown(reason)), Ok(true));
        assert_eq!(why(&switches, "r", "a", "o"), Some(reason.to_owned()));
    }
}

/// A run that has ended needs no switch, and another gets its room.
#[test]
fn the_switch_of_a_run_that_ended_is_dropped() {
    let mut switches = Switches::default();
    for at in 0..SWITCHES_MAX {
        switches.throw(Target::Run(label(&at.to_string())), thrown("one")).unwrap();
    }
    switches.ended(&label("nobody"));
    assert!(switches.throw(Target::Run(label("r")), thrown("more")).is_err());
    switches.ended(&label("7"));
    switches.ended(&label("7"));
    assert_eq!(why(&switches, "7", "a", "o"), None);
    assert_eq!(switches.throw(Target::Run(label("r")), thrown("more")), Ok(true));
    assert_eq!(why(&switches, "r", "a", "o"), Some("more".to_owned()));
    assert!(switches.throw(Target::Run(label("s")), thrown("more")).is_err());
}

/// Nobody but a human lifts a switch, and whoever it named may begin again.
#[test]
fn a_lifted_switch_stops_nobody_and_makes_room() {
    let mut switches = Switches::default();
    for at in 0..SWITCHES_MAX {
        switches.throw(Target::Run(label(&at.to_string())), thrown("one")).unwrap();
    }
    let target = Target::Run(label("7"));
    assert_eq!(switches.lift(&target), Some(thrown("one")));
    assert_eq!(switches.lift(&target), None);
    assert_eq!(why(&switches, "7", "a", "o"), None);
    assert_eq!(why(&switches, "8", "a", "o"), Some("one".to_owned()));
    assert_eq!(switches.throw(target, thrown("two")), Ok(true));
}

/// The log of what happened is the truth; it reads back as it was written.
#[test]
fn switches_are_what_their_log_adds_up_to() {
    let agent = Target::Agent(label("a"));
    let word = thrown("loops");
    let log = [
        (Event::Thrown { target: agent.clone(), word: word.clone() }, true),
        (Event::Thrown { target: agent.clone(), word: thrown("again") }, false),
        (Event::Lifted { target: Target::All, word: word.clone() }, false),
        (Event::Lifted { target: agent.clone(), word: word.clone() }, true),
        (Event::Lifted { target: agent, word: word.clone() }, false),
        (Event::Thrown { target: Target::All, word }, true),
    ];
    let mut switches = Switches::default();
    for (event, changes) in log {
        let written = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&written).unwrap();
        assert_eq!(read, event, "{written}");
        assert_eq!(switches.apply(read), Ok(changes), "{written}");
    }
    let standing: Vec<_> = switches.thrown().map(|it| it.words().to_string()).collect();
    assert_eq!(standing, ["everybody stopped by ada at 1970-01-01T00:00:01.000Z: loops"]);
}

/// A reason as long as it may be is cut, and who stopped whom and when still stands there.
#[test]
fn words_fit_a_receipt() {
    let mut switches = Switches::default();
    let (long, target) = ("x".repeat(240), Target::Agent(label("a")));
    switches.throw(target, thrown(&long)).unwrap();
    let words = switches.thrown().next().unwrap().words();
    assert!(
        words.starts_with("agent a stopped by ada at 1970-01-01T00:00:01.000Z: xxx"),
        "{words}"
    );
    assert_eq!(words.chars().count(), 240);
}
