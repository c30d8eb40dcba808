//! Looking at the folder that holds everything.

use super::*;

/// Who holds a grant sees the root, and neither reads nor writes it.
#[test]
fn the_root_is_looked_at() {
    let all = Claims { paths: paths(&["**", "*"]), ..claims() };
    let none = Claims { paths: paths(&[]), outputs: None, ..claims() };
    for claims in [all, none] {
        let grant = grant(&claims);
        let judge = |access| {
            let op = FileOp { access, path: &Path::root() };
            grant.check(&keys(), &op, &HOLDER, at(IAT)).err().map(|denial| denial.code())
        };
        assert_eq!(judge(Access::Look), None);
        assert_eq!(judge(Access::Read), Some(Code::PathOutside));
        assert_eq!(judge(Access::Write), Some(Code::OutputsOutside));
    }
}
