//! x
/// S
#[derive(Debug)]
pub struct NoStream;
/// C
#[derive(Debug)]
pub struct NoChild;
