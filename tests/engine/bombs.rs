//! Components that would keep the compiler busy: each bound is met exactly by one, which passes,
//! and passed by one more.

use bytes::Bytes;
use envelope_engine::component::{Bound, Refused, inspect};

use super::wasm::{component, component_of, leb, module_of, section, section_of};

/// A component that has `count` of what `bound` counts.
fn with(bound: Bound, count: usize) -> Bytes {
    let module = |sections: &[Vec<u8>]| component_of(&[module_of(sections)]);
    let types = section_of(1, 1, b"\x60\0\0");
    match bound {
        Bound::Bytes => {
            // Eight bytes of header, one of the kind, four of the length, one of the name's.
            component_of(&[section(0, &vec![0; count - 13])])
        }
        Bound::Nesting => {
            let inner = component_of(&[]);
            (1..count).fold(inner, |inner, _| component_of(&[section(4, &inner)]))
        }
        Bound::Modules => component_of(&vec![module_of(&[]); count]),
        Bound::Functions => {
            let functions = section_of(3, count, b"\0");
            module(&[types, functions, section_of(10, count, b"\x02\0\x0b")])
        }
        Bound::BodyBytes => {
            let body = [b"\0".as_slice(), &vec![1; count - 2], b"\x0b"].concat();
            let code = [leb(1), leb(body.len()), body].concat();
            module(&[types, section_of(3, 1, b"\0"), section(10, &code)])
        }
        Bound::Types => module(&[section_of(1, count, b"\x60\0\0")]),
        Bound::Links => module(&[types, section_of(2, count, b"\0\0\0\0")]),
        Bound::Names => {
            let names = (0..count).map(|n| format!("(import \"a{n}\" (func))"));
            component(&names.collect::<String>())
        }
        Bound::Segments => module(&[section_of(5, 1, b"\0\0"), section_of(11, count, b"\x01\0")]),
        Bound::Globals => module(&[section_of(6, count, b"\x7f\0\x41\0\x0b")]),
        Bound::Instances => component_of(&[module_of(&[]), section_of(2, count, b"\0\0\0")]),
        Bound::Steps => {
            // Each alias takes one.
            let aliases = section_of(6, count - 1, b"\0\x02\x01\0\0");
            component_of(&[module_of(&[]), section_of(2, 1, b"\0\0\0"), aliases])
        }
        Bound::Sections => {
            // One for the header, one for the end.
            component_of(&vec![section(0, b"\0"); count - 2])
        }
    }
}

#[test]
fn every_bound_is_met_and_passed() {
    for bound in Bound::ALL {
        let most = bound.most();
        let count = usize::try_from(most).unwrap();
        match inspect(&with(bound, count), &[]) {
            Ok(inspection) => assert_eq!(inspection.counts.get(bound), most, "{bound:?}"),
            // These are counted, and then found to have one name twice.
            Err(Refused::Malformed { .. }) if matches!(bound, Bound::Links | Bound::Steps) => {}
            Err(why) => panic!("{bound:?}: {why}"),
        }
        let refused = inspect(&with(bound, count + 1), &[]);
        assert_eq!(refused, Err(Refused::TooMuch { bound, found: most + 1 }), "{bound:?}");
    }
}

/// Some hundred bytes of components, each of which instantiates the one before it twice.
fn doubling(times: usize) -> Bytes {
    let mut text =
        String::from("(component $c0 (core module $m) (core instance (instantiate $m)))");
    for n in 1..=times {
        let last = n - 1;
        text.push_str(&format!(
            "(component $c{n} (alias outer 1 $c{last} (component $it))
                (instance (instantiate $it)) (instance (instantiate $it)))"
        ));
    }
    component(&format!("{text} (instance (instantiate $c{times}))"))
}

#[test]
fn components_that_double_are_counted_out() {
    let inspection = inspect(&doubling(7), &[]).unwrap();
    assert_eq!(inspection.counts.get(Bound::Instances), 128);
    for times in [8, 30, 64, 200] {
        let bomb = doubling(times);
        assert!(bomb.len() < 20_000);
        let refused = inspect(&bomb, &[]).unwrap_err();
        assert!(
            matches!(refused, Refused::TooMuch { bound: Bound::Instances, .. }),
            "{times}: {refused}"
        );
    }
}

/// How much is in a component that is given to another cannot be counted, so it may not be.
#[test]
fn components_are_not_given_to_each_other() {
    for text in [
        "(import \"a\" (component))",
        "(component $c) (component $d (import \"x\" (component)))
         (instance (instantiate $d (with \"x\" (component $c))))",
        "(component $c (component $d) (export \"d\" (component $d)))
         (instance $i (instantiate $c)) (alias export $i \"d\" (component))",
    ] {
        let refused = inspect(&component(text), &[]).unwrap_err();
        assert!(matches!(refused, Refused::Unsupported(_)), "{text}: {refused}");
    }
    let named_again = "(component $c) (export \"d\" (component $c)) (instance (instantiate $c))";
    inspect(&component(named_again), &[]).unwrap();
}

#[test]
fn a_refusal_says_how_much_there_may_be() {
    let refused = Refused::TooMuch { bound: Bound::Functions, found: 300_000 };
    assert_eq!(refused.to_string(), "it has 300000 functions, and at most 250000 are compiled");
}
