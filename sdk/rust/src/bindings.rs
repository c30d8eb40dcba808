//! What `wit-bindgen` makes of `host-api/wit`: the only unsafe code on the author's side, and none
//! of it is written here or in an agent's crate, so both can forbid it.

wit_bindgen::generate!({
    path: "../../host-api/wit",
    world: "agent",
    pub_export_macro: true,
    default_bindings_module: "envelope_sdk::__private::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["answer-stream"],
});
