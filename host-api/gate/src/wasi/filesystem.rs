//! x
/// D
#[derive(Debug)]
pub struct Descriptor;
/// L
#[derive(Debug)]
pub struct Listing;
