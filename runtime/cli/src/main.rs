//! The binary `envelope`: one file per command, no logic of its own.

fn main() {}
