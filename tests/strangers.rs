//! Software nobody here wrote checks what we emit: Python and Node packages.

mod digests;
mod stranger;
