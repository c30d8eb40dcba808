//! Kill switches.

use envelope_evidence::{Label, Timestamp};
use envelope_rules::kill::{SWITCHES_MAX, Subject, Switches, Target, Thrown};

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn thrown(reason: &str) -> Thrown {
    Thrown { by: label("ada"), reason: label(reason), at: Timestamp::from_secs(1).unwrap() }
}

fn why(switches: &Switches, run: &str, agent: &str, organisation: &str) -> Option<String> {
    let (run, agent, organisation) = (label(run), label(agent), label(organisation));
    let subject = Subject { run: &run, agent: &agent, organisation: Some(&organisation) };
    switches.standing(subject).map(|thrown| thrown.reason.to_string())
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
        // The name of a run is not the name of an agent.
        assert_eq!(why(&switches, agent, run, run), None);
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
fn when_there_is_no_room_everybody_can_still_be_stopped() {
    let mut switches = Switches::default();
    for at in 0..SWITCHES_MAX {
        switches.throw(Target::Run(label(&at.to_string())), thrown("one")).unwrap();
    }
    assert!(switches.throw(Target::Agent(label("a")), thrown("more")).is_err());
    assert_eq!(why(&switches, "r", "a", "o"), None);
    switches.throw(Target::All, thrown("all")).unwrap();
    assert_eq!(why(&switches, "r", "a", "o"), Some("all".to_owned()));
}
