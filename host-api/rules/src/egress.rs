//! May this request leave?
//!
//! A request is first brought into one normal form, a [`Target`](target::Target): what is judged is
//! exactly what will be sent. Then a [`Policy`](policy::Policy) of allow rules admits it or names
//! the part that no rule covers. Last, whoever dials shows every address, resolved or literal, to
//! [`address::check`] and connects to the [`CheckedAddr`](address::CheckedAddr) it gets back.
//!
//! Nothing here resolves a name, opens a socket or follows a redirect. A wildcard still lets its
//! label carry data into the name system: a grant of `*.example.org` is a grant to speak to the
//! name servers of `example.org`.

pub mod address;
pub mod cidr;
pub mod host;
pub mod path;
pub mod policy;
pub mod rule;
pub mod target;
pub mod text;
