//! Every code there is: what it means, how HTTP and a command end by it, and what to do.

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Its name. Once told it never changes its meaning.
    pub code: &'static str,
    /// The status of HTTP.
    pub status: u16,
    /// The number with which a command ends.
    pub exit: u8,
    /// What it means.
    pub title: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// The row of a code; that of `INTERNAL` for what nobody knows.
pub fn find(code: &str) -> &'static Code {
    let inside = || CODES.iter().find(|row| row.code == "INTERNAL").unwrap_or(&UNKNOWN);
    CODES.iter().find(|row| row.code == code).unwrap_or_else(inside)
}

static UNKNOWN: Code =
    Code { code: "INTERNAL", status: 500, exit: 10, title: "Something is wrong inside", help: "" };

const fn row(
    code: &'static str,
    (status, exit): (u16, u8),
    title: &'static str,
    help: &'static str,
) -> Code {
    Code { code, status, exit, title, help }
}

/// The table.
pub static CODES: &[Code] = &[
    row(
        "INVALID",
        (422, 2),
        "A part of the request does not fit",
        "`param` names the part, `detail` says what would do.",
    ),
    row(
        "MALFORMED",
        (400, 2),
        "The request does not read",
        "The body is not the JSON that the operation takes; `detail` says where.",
    ),
    row(
        "MEDIA_TYPE",
        (415, 2),
        "The body is of another kind",
        "Send `application/json`, or `application/wasm` where a component is taken.",
    ),
    row(
        "TOO_LARGE",
        (413, 2),
        "The body is too large",
        "The limit is in `detail`. Large files are handed over one by one.",
    ),
    row("TOO_LONG", (413, 2), "A document is too long", "Shorten it, or hand it over as a file."),
    row(
        "SIGN_IN",
        (401, 4),
        "Who you are is not known",
        "Send `Authorization: Bearer` with a key that was not revoked.",
    ),
    row(
        "ORIGIN",
        (403, 5),
        "The request comes from another site",
        "Who is signed in changes things from pages of this house alone; programs use a key.",
    ),
    row(
        "ROLE_MISSING",
        (403, 5),
        "You may not do this",
        "`detail` names the role. An owner of your organisation gives roles.",
    ),
    row(
        "HUMAN_NEEDED",
        (403, 5),
        "A human decides this",
        "Sign in, or use a key that you made while signed in, with `decides`.",
    ),
    row(
        "RUNS_MAX",
        (409, 1),
        "The purchase had as many runs as it may",
        "Runs that failed count. Deliver what there is, or buy again.",
    ),
    row(
        "WRONG_PARTY",
        (403, 5),
        "You are the wrong party",
        "The buyer pays and accepts; the seller delivers and cures.",
    ),
    row(
        "NOT_FOUND",
        (404, 9),
        "There is none",
        "It does not exist, or is not yours: which of both is not told.",
    ),
    row(
        "METHOD",
        (405, 2),
        "Not with this method",
        "`Allow` names the methods that this path takes.",
    ),
    row("EXISTS", (409, 1), "There is one already", "Choose another name or version."),
    row("NOT_NOW", (409, 1), "Not in this state", "Look at the state, and see what comes next."),
    row("CHANGED_MEANWHILE", (409, 1), "It changed meanwhile", "Load it again and decide afresh."),
    row(
        "PRECONDITION",
        (412, 1),
        "It is at another version",
        "Load it again: `If-Match` names a version that is past.",
    ),
    row(
        "KEY_MISSING",
        (400, 2),
        "An `Idempotency-Key` is missing",
        "Send one that you never used, so that trying again does not happen twice.",
    ),
    row(
        "KEY_REUSED",
        (422, 2),
        "This `Idempotency-Key` was used for something else",
        "Use a new key for another request.",
    ),
    row("RATE", (429, 1), "Too many requests", "Wait as long as `Retry-After` says."),
    row(
        "BUSY",
        (503, 10),
        "The house is leaving or overloaded",
        "Try again in a moment, or at another node.",
    ),
    row(
        "TIMEOUT",
        (503, 10),
        "It took too long",
        "It may have happened: ask again under the same `Idempotency-Key`.",
    ),
    row(
        "INTERNAL",
        (500, 10),
        "Something is wrong inside",
        "Tell the operator the number in `request`.",
    ),
    row(
        "QUOTA",
        (409, 6),
        "Your organisation may keep no more",
        "Delete what is not needed, or ask the operator for room.",
    ),
    row(
        "COMPONENT_REFUSED",
        (422, 2),
        "The component cannot run here",
        "`detail` says why; `envelope inspect` tells the same on your machine.",
    ),
    row(
        "LAUNCH_REFUSED",
        (422, 2),
        "It cannot be run like that",
        "`detail` says which argument, skill or file does not fit.",
    ),
    row(
        "CONTRACT_FLAWED",
        (422, 1),
        "The contract has flaws",
        "`flaws` lists each with its place and what would mend it.",
    ),
    row(
        "BADGE_MISSING",
        (403, 5),
        "The agent holds no badge",
        "All five pillars have to be attested and not ended; the operator attests.",
    ),
    row(
        "LISTING_MODIFIED",
        (409, 1),
        "The offer changed since you saw it",
        "`seen` and `current` differ: draw up the Paper again, read it, and buy that.",
    ),
    row(
        "APPROVAL_REFUSED",
        (409, 7),
        "The decision does not count",
        "`detail` says why: by whom, too late, or on something else.",
    ),
    row(
        "DELIVERY_OTHER_PAPER",
        (409, 1),
        "The run was under another Paper",
        "Only runs of this purchase deliver under it.",
    ),
    row(
        "DELIVERY_MISSING",
        (409, 1),
        "Something is not produced yet",
        "A run has to end well with the deliverable that `detail` names.",
    ),
    row(
        "DELIVERY_TOO_LARGE",
        (409, 1),
        "A deliverable is too large",
        "The Paper says how many bytes are taken over.",
    ),
    row("PURCHASE_DISPUTED", (409, 1), "A dispute is open", "It has to be decided first."),
    row(
        "PURCHASE_EVENT_REUSED",
        (409, 1),
        "That event was told with other contents",
        "Nothing changed.",
    ),
    row("PURCHASE_MILESTONE_PAID", (409, 1), "The milestone is paid", "Nothing is left to do."),
    row(
        "PURCHASE_NOTHING_DUE",
        (409, 1),
        "Nothing is due",
        "`due` of the purchase says when something is.",
    ),
    row(
        "PURCHASE_NOT_CANONICAL",
        (422, 2),
        "It has no canonical form",
        "Numbers are whole and at most 2^53 - 1.",
    ),
    row(
        "PURCHASE_NOT_CONFORM",
        (409, 1),
        "A criterion was not found to conform",
        "A milestone is paid when its criteria conform.",
    ),
    row(
        "PURCHASE_NOT_NOW",
        (409, 1),
        "Not in this state of the purchase",
        "`detail` names the state.",
    ),
    row(
        "PURCHASE_NO_DISPUTE",
        (409, 1),
        "No dispute is open",
        "Open one, or look at another purchase.",
    ),
    row(
        "PURCHASE_NO_SUCH_CRITERION",
        (422, 2),
        "The Paper has no such criterion",
        "Its criteria are in the Paper.",
    ),
    row(
        "PURCHASE_NO_SUCH_MILESTONE",
        (422, 2),
        "The Paper has no such milestone",
        "Its milestones are in the Paper.",
    ),
    row(
        "PURCHASE_OBSERVED_BEFORE",
        (409, 1),
        "The criterion was checked",
        "Each is checked once for a delivery.",
    ),
    row(
        "PURCHASE_OTHER_CRITERIA",
        (409, 1),
        "The criteria are locked otherwise",
        "They were fixed when the Paper was bought.",
    ),
    row(
        "PURCHASE_PAYING",
        (409, 1),
        "It is decided and the money moves",
        "Wait until the provider says that it has moved.",
    ),
    row("PURCHASE_RUN_KNOWN", (409, 1), "The run is known", "It was counted before."),
    row(
        "PURCHASE_RUN_UNKNOWN",
        (409, 1),
        "The run is not of this purchase",
        "Deliver what its own runs produced.",
    ),
    row(
        "PURCHASE_TOO_LATE",
        (409, 1),
        "A dispute comes too late",
        "The Paper says how long one may be opened.",
    ),
    row("PURCHASE_TOO_MANY", (409, 1), "More than a purchase takes", "Buy again."),
    row("PURCHASE_UNDELIVERED", (409, 1), "Something is not delivered", "`detail` names it."),
    row(
        "ESCROW_ALREADY_FUNDED",
        (409, 1),
        "The money is there or on its way",
        "Nothing is left to pay in.",
    ),
    row(
        "ESCROW_COMMAND_REUSED",
        (409, 1),
        "The order was given with other contents",
        "Nothing moved.",
    ),
    row(
        "ESCROW_COMMAND_UNKNOWN",
        (404, 9),
        "The order was never given",
        "`money.orders` lists those that are open.",
    ),
    row(
        "ESCROW_CONTRADICTED",
        (409, 1),
        "The order ended the other way",
        "What was said first stays.",
    ),
    row("ESCROW_HOLD_EXPIRED", (409, 1), "The money can only go back", "It may be held no longer."),
    row(
        "ESCROW_INSUFFICIENT",
        (409, 1),
        "There is not so much",
        "`detail` says how much can move.",
    ),
    row("ESCROW_IN_FLIGHT", (409, 1), "An order is on its way", "Wait for what becomes of it."),
    row("ESCROW_NOT_EXPIRED", (409, 1), "The hold has not expired", "`detail` says when it does."),
    row("ESCROW_NOT_FUNDED", (409, 1), "Nothing was paid in", "Pay in first."),
    row("ESCROW_TOO_MANY", (409, 1), "More orders than a purchase takes", "Buy again."),
    row(
        "DISPUTE_ANSWERED_BEFORE",
        (409, 1),
        "That evaluator has answered",
        "One voice, one answer.",
    ),
    row("DISPUTE_DECIDED_BEFORE", (409, 1), "It was decided otherwise", "A decision stays."),
    row("DISPUTE_MAY_NOT_DECIDE", (403, 5), "Nobody of a party's decides", "Somebody else has to."),
    row(
        "DISPUTE_NOT_AN_OPTION",
        (422, 2),
        "Not among the options of the Paper",
        "The Paper lists what may be decided.",
    ),
    row(
        "DISPUTE_NOT_ASKED",
        (409, 1),
        "That evaluator was not asked",
        "The Paper names the panel.",
    ),
    row("DISPUTE_NOT_DUE", (409, 1), "The panel has time left", "`detail` says until when."),
    row("DISPUTE_NOT_SEALED", (409, 1), "The record is not sealed yet", "Wait a moment."),
    row(
        "DISPUTE_NO_SUCH_CRITERION",
        (422, 2),
        "The Paper has no such criterion",
        "Its criteria are in the Paper.",
    ),
    row(
        "DISPUTE_NO_VERDICT",
        (422, 2),
        "A human has to choose",
        "`cannot-decide` is for the panel.",
    ),
    row("DISPUTE_PANEL_CLOSED", (409, 1), "The panel is closed", "It has nothing more to say."),
    row("DISPUTE_PANEL_SITS", (409, 1), "The panel sits", "Let it answer, or its time pass."),
    row("DISPUTE_RECORD", (422, 1), "The record cannot be sealed", "`detail` says why."),
    row("DISPUTE_SEALED_BEFORE", (409, 1), "The record was sealed", "It cannot change."),
    row(
        "AMENDMENT_CHANGES_NOTHING",
        (409, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "AMENDMENT_DIFFERENCE",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "AMENDMENT_REDLINE",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_ORDER",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_OTHER_CLAUSES",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_OTHER_PROSE",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_PROSE",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_SEQ",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_SHAPE",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_SIGNERS",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_STALE_PARENT",
        (409, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_TOO_MANY",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "DOCUMENT_UNCHANGED",
        (409, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIDE_LETTER",
        (422, 1),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_BACKDATED",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_FOREIGN_KEY",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_INVALID",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_LEVEL",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_MISSING",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_ONE_SIDED",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SIGNATURE_OTHER_DOCUMENT",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
    row(
        "SNAPSHOT_OTHER_CHAIN",
        (422, 8),
        "The chain of documents does not take it",
        "`detail` says what does not fit; `envelope chain verify` checks the whole chain.",
    ),
];
