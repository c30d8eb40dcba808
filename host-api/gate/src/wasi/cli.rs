//! x
/// No terminal.
#[derive(Debug)]
pub struct NoTerminal;
