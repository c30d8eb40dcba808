//! Grants under random scopes: a child never reaches past its parent, nor a grant past its terms.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Files, and patterns and prefixes that reach some of them.
const FILES: [&str; 9] = ["a", "b", "d/a", "d/b", "d/d/a", "d/d/b", "d/d/d/a", "d/e/a", "e/d/d/b"];

fn scopes() -> impl Strategy<Value = (PatternSet, Option<Prefix>)> {
    let patterns = [
        "a", "*", "**", "d/*", "d/**", "d/a", "d/a*", "d/*/a", "d/*/*", "d/*/**", "d/d/**",
        "*/d/**",
    ];
    let prefixes = ["./", "d/", "d/d/", "d/d/d/", "e/", "d/e/"];
    let prefix = prop::option::of(prop::sample::select(prefixes.to_vec()));
    (prop::collection::vec(prop::sample::select(patterns.to_vec()), 0..4), prefix)
        .prop_map(|(texts, prefix)| (paths(&texts), prefix.and_then(outputs)))
}

/// Every path of up to four segments: two levels below the deepest folder that is asked about.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut levels = vec![vec![String::new()]];
    for _ in 0..4 {
        let above = levels.last().unwrap();
        let names = ["a", "ab", "b", "d", "e", "x"];
        levels.push(above.iter().flat_map(|path| names.map(|n| format!("{path}/{n}"))).collect());
    }
    levels.concat().iter().filter_map(|path| path.strip_prefix('/')).map(str::to_owned).collect()
});

fn accesses() -> impl Strategy<Value = Access> {
    prop::sample::select(vec![Access::Look, Access::Read, Access::Write])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever a child may do at some moment, its parent may do at that moment.
    #[test]
    fn a_child_is_within_its_parent(
        (paths, outputs) in scopes(),
        (child_paths, child_outputs) in scopes(),
        exp in EXP - 3..EXP + 3,
        nano_usd in 0..4_u64,
        remaining in 0..4_u64,
    ) {
        let budget = Some(Budget::nano_usd(2));
        let parent = grant(&Claims { paths, outputs, budget, ..claims() });
        let wish = Wish {
            aud: AGENT.into(),
            run: None,
            paths: child_paths,
            outputs: child_outputs,
            exp,
            nano_usd,
            ..wish(&[], None)
        };
        let Ok(token) = delegate(&parent, wish, remaining, &HOLDER, &keys(), at(IAT)) else {
            return Ok(());
        };
        let child = Grant::open(token.as_str(), &keys(), at(IAT)).unwrap();
        prop_assert!(child.claims().budget.unwrap().limit <= remaining.min(2));
        for file in FILES {
            for access in [Access::Look, Access::Read, Access::Write] {
                for now in [IAT, EXP - 3, EXP - 2, EXP - 1, EXP, EXP + 1] {
                    let may = judge(&child, access, file, now);
                    let parent_may = judge(&parent, access, file, now);
                    prop_assert!(may.is_err() || parent_may.is_ok(), "{access:?} {file} {now}");
                }
            }
        }
    }

    /// What is shown may be read, or leads to something that may be read or written: nothing else.
    #[test]
    fn what_is_shown_leads_somewhere((paths, outputs) in scopes()) {
        let claims = Claims { paths: paths.clone(), outputs: outputs.clone(), ..claims() };
        let reached: Vec<_> = PATHS.iter().filter(|text| {
            let path = path(text);
            paths.matches(&path) || outputs.as_ref().is_some_and(|prefix| prefix.contains(&path))
        }).collect();
        let grant = grant(&claims);
        for folder in PATHS.iter().filter(|text| text.matches('/').count() < 2) {
            let leads = reached.iter().any(|reached| {
                reached.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
            });
            let wanted = leads || reached.contains(&folder);
            prop_assert_eq!(claims.shows(&path(folder)), wanted, "{}", folder);
            prop_assert_eq!(judge(&grant, Access::Look, folder, IAT).is_ok(), wanted);
        }
    }

    /// A permit implies all six conditions, each computed here in another way.
    #[test]
    fn nothing_outside_the_conditions_is_permitted(
        (paths, outputs) in scopes(),
        access in accesses(),
        file in prop::sample::select(&FILES[..]),
        now in IAT - 10..EXP + 10,
        agent in prop::sample::select(vec![AGENT, "mallory@svc"]),
        bound_run in prop::sample::select(vec![None, Some(RUN), Some("run_2")]),
        revoked in any::<bool>(),
    ) {
        let grant = grant(&Claims { paths: paths.clone(), outputs: outputs.clone(), ..claims() });
        let standing = Standing { bound_run, revoked };
        let (op, path) = (path(file), file);
        let op = FileOp { access, path: &op };
        let answer = grant.check(&keys(), &op, &Holder { agent, run: RUN, standing }, at(now));
        let below = outputs.as_ref().is_some_and(|prefix| {
            prefix.as_str() == "./" || path.starts_with(prefix.as_str())
        });
        let rooted = paths.patterns().iter().any(|pattern| {
            let text = pattern.to_string();
            path.starts_with(text.split('*').next().unwrap())
        });
        let above = format!("{path}/");
        let leads = outputs.is_some_and(|prefix| prefix.as_str().starts_with(&above))
            || paths.patterns().iter().any(|pattern| {
                let text = pattern.to_string();
                let stars = text.find('*').unwrap_or(text.len());
                text.starts_with(&above) || above.starts_with(&text[..stars])
            });
        let place = match access {
            Access::Look => below || rooted || leads,
            Access::Read => below || rooted,
            Access::Write => below,
        };
        let timely = (IAT - IAT_LEEWAY_SECS..EXP).contains(&now);
        let held = agent == AGENT && bound_run == Some(RUN) && !revoked;
        prop_assert!(answer.is_err() || place && timely && held);
        prop_assert!(answer.is_ok() || !(below && timely && held));
    }
}
