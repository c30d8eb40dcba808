//! What a machine cannot show is said, loudly, and where everything has to be shown it is a
//! failure.

use std::env;
use std::io::Write as _;
use std::process::Command;

/// Says that `what` was not shown, and why, past the capture of the test harness: nobody is to take
/// this for a test that was run.
pub fn say(what: &str, why: &str) {
    let said = format!("\nNOT SHOWN: {what}: {why}\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}

/// The same where nothing may be left out: there it is a failure.
pub fn or_fail(what: &str, why: &str) {
    assert!(env::var_os("CI").is_none(), "{what}: {why}");
    say(what, why);
}

/// The same where only a kernel that forbids it excuses that, as `refusals` or its settings tell.
pub fn or_forbidden(what: &str, refusals: &[String], advice: &str) {
    let refused = refusals.iter().all(|why| why.contains("Operation not permitted"));
    let refused = refused.then(|| "the kernel permits it to nobody here".to_owned());
    let forbidden = forbidden().or(refused);
    let why = refusals.join("; ");
    let strict = env::var_os("CI").is_some();
    assert!(!strict || forbidden.is_some(), "{what}: no rule says why: {why}");
    say(what, &format!("{} ({why})", forbidden.unwrap_or_else(|| advice.to_owned())));
}

/// Whether this machine gives a test mounts of its own; where it does not, that is said of `what`.
pub fn has_mounts(what: &str) -> bool {
    let ready = Command::new("unshare").args(["-rm", "true"]).env("LC_ALL", "C").output();
    let why = match ready {
        Ok(ready) if ready.status.success() => return true,
        Ok(ready) => String::from_utf8_lossy(&ready.stderr).into_owned(),
        Err(why) => why.to_string(),
    };
    or_forbidden(what, &[why], "install util-linux");
    false
}

/// The setting of the kernel that forbids namespaces to their users, if there is one.
fn forbidden() -> Option<String> {
    [
        ("/proc/sys/user/max_user_namespaces", "0"),
        ("/proc/sys/user/max_net_namespaces", "0"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ]
    .into_iter()
    .find(|(file, value)| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == *value))
    .map(|(file, value)| format!("`{file}` is {value}"))
}
