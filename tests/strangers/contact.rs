//! `sectxt` reads the file that tells whom to tell of a weakness.

use serde_json::json;

use super::stranger::API;
use crate::server::house::Open;
use crate::store::world::both;

/// How the house is known in tests.
const ADDRESS: &str = "https://market.example/.well-known/security.txt";

#[test]
fn sectxt_reads_whom_to_tell_of_a_weakness() {
    both(async |world| {
        let open = Open::house(world).await;
        let told = open.ask("", "GET /.well-known/security.txt", None).await;
        assert_eq!((told.status, told.text.contains("\r")), (200, false));
        assert_eq!(told.header("content-type"), Some("text/plain; charset=utf-8"));
        let line = |name: &str| {
            let found = told.text.lines().find(|line| line.starts_with(name));
            found.unwrap_or_else(|| panic!("no `{name}`: {}", told.text)).to_owned()
        };
        assert_eq!(line("Contact: "), "Contact: mailto:security@house.example");
        line("Policy: ");
        let expires = line("Expires: ");
        let files = json!([
            [ADDRESS, told.text],
            // It reads what it is given: each of these it refuses.
            ["https://elsewhere.example/.well-known/security.txt", told.text],
            [ADDRESS, told.text.replace(&expires, "Expires: 2020-01-01T00:00:00Z")],
            [ADDRESS, told.text.replace(&line("Contact: "), "")],
        ]);
        if let Some(answers) = API.ask("contact.py", &files) {
            let wrong = ["no_canonical_match", "expired", "no_contact"];
            let found: Vec<_> = wrong.iter().map(|code| json!([code])).collect();
            assert_eq!((&answers[0], &answers.as_array().unwrap()[1..]), (&json!([]), &*found));
        }
        open.close().await;
    });
}
