//! Components that would keep the compiler busy: each bound is met exactly by one, which passes,
//! and passed by one more.

use bytes::Bytes;
use envelope_engine::component::{Bound, Refused, inspect};

use wasmtime::component::Component;

use super::machine;
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
        Bound::Width => {
            let values = [leb(count), vec![0x7f; count]].concat();
            module(&[section(1, &[b"\x01\x60".as_slice(), &values, b"\0"].concat())])
        }
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
        Bound::BodyWork | Bound::Work => {
            unreachable!("nobody can write a function that takes so long")
        }
        Bound::Sections => {
            // One for the header, one for the end.
            component_of(&vec![section(0, b"\0"); count - 2])
        }
    }
}

#[test]
fn every_bound_is_met_and_passed() {
    let exact = |bound: &Bound| !matches!(bound, Bound::BodyWork | Bound::Work);
    for bound in Bound::ALL.into_iter().filter(exact) {
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

/// A module with `copies` of a function that begins with `before`, repeats `unit` and ends with
/// `after`, repeated too if it is a single byte. It may call itself, and has a second type that
/// takes and gives thirty-two numbers.
fn function(copies: usize, before: &[u8], unit: (usize, &[u8]), after: &[u8]) -> Bytes {
    let number = b"\x7f";
    let wide = [b"\x60\x20".as_slice(), &number.repeat(32), b"\x20", &number.repeat(32)].concat();
    let types = [b"\x02\x60\x01\x7f\x01\x7f".as_slice(), &wide].concat();
    let after = if let [byte] = after { vec![*byte; unit.0] } else { after.to_vec() };
    let body = [before, &unit.1.repeat(unit.0), &after, b"\x0b"].concat();
    let code = [leb(body.len()), body].concat();
    component_of(&[module_of(&[
        section(1, &types),
        section_of(3, copies, b"\0"),
        section_of(10, copies, &code),
    ])])
}

/// Functions of each kind were measured, written to cost most. As long as the ones refused here,
/// they take the compiler more than five seconds of one core, or more than half a gigabyte.
#[test]
fn laborious_functions_are_refused() {
    let (block, looped) = (b"\x02\x40\x20\0\x0d\0\x0b", b"\x03\x40\x20\0\x0d\0\x0b");
    let jump = [b"\x02\x40\x20\0\x0e".as_slice(), &leb(99), &[0; 100], b"\x0b"].concat();
    let (values, sum) = (b"\x20\0".repeat(32), b"\x6a".repeat(31));
    let values = [b"\0".as_slice(), &values].concat();
    // What there is to repeat, what stands around it, how often it passes, and how often not.
    for (unit, before, after, few, many) in [
        // Forks, one after the other.
        (block.as_slice(), b"\0".as_slice(), b"\x20\0".as_slice(), 5_000, 25_000),
        // Loops.
        (looped, b"\0", b"\x20\0", 1_000, 8_000),
        // Loops over ten thousand variables.
        (looped, b"\x01\x90\x4e\x7f", b"\x20\0", 500, 1_500),
        // Loops that hand on thirty-two values.
        (b"\x03\x01\x0b", &values, &sum, 100, 1_000),
        // Jumps to a hundred places.
        (&jump, b"\0", b"\x20\0", 100, 500),
        // Calls, whose answers are all needed in the end.
        (b"\x20\0\x10\0", b"\0\x20\0", b"\x6a", 5_000, 25_000),
    ] {
        let words = |refused: Refused| refused.to_string();
        let passes = inspect(&function(1, before, (few, unit), after), &[]).map_err(words);
        let passes = passes.unwrap_or_else(|why| panic!("{unit:?}: {why}"));
        assert!(passes.counts.get(Bound::Work) > 10_000, "{unit:?}");
        let refused = inspect(&function(1, before, (many, unit), after), &[]);
        assert!(
            matches!(refused, Err(Refused::TooMuch { bound: Bound::BodyWork, .. })),
            "{unit:?}: {refused:?}"
        );
    }
    // What one may, not all may.
    let many = function(200, b"\0", (10_000, block), b"\x20\0");
    let refused = inspect(&many, &[]);
    assert!(matches!(refused, Err(Refused::TooMuch { bound: Bound::Work, .. })), "{refused:?}");
}

/// A hundred bytes of data that lie far apart are no reason for megabytes of image.
#[test]
fn data_far_apart_makes_no_large_image() {
    let compiled = |at: usize| {
        let text = format!("(memory 64) (data (i32.const 0) \"a\") (data (i32.const {at}) \"b\")");
        let bytes = super::wasm::around(&text);
        let component = Component::new(machine().engine(), bytes).unwrap();
        component.serialize().unwrap().len()
    };
    assert!((500_000..1_000_000).contains(&compiled(500_000)));
    assert!(compiled(4_000_000) < 100_000);
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
    assert_eq!(refused.to_string(), "it has 300000 functions, and at most 100000 are compiled");
}
