//! What `wit-bindgen` makes of `host-api/wit`. The only place with unsafe code, none of it ours; it
//! stays in this module, and so does the macro that an agent's crate expands to export its skills.

wit_bindgen::generate!({
    path: "../../host-api/wit",
    world: "agent",
    pub_export_macro: true,
    default_bindings_module: "envelope_sdk::__private::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["answer-stream", "child"],
});
