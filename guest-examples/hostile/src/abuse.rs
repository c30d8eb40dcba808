//! One thing, too often.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;

use envelope_sdk::prelude::*;

use crate::Amount;

const MEBIBYTE: usize = 1 << 20;

/// Computes.
pub fn spin(amount: &Amount) -> u64 {
    amount.numbers().fold(0, |sum, number| black_box(sum ^ number))
}

/// Takes memory and touches it.
pub fn hog(amount: &Amount) -> u64 {
    let mut held: Vec<Vec<u8>> = Vec::new();
    let mut got = 0;
    for _ in amount.numbers() {
        let mut piece = Vec::new();
        if held.try_reserve(1).is_err() || piece.try_reserve_exact(MEBIBYTE).is_err() {
            break;
        }
        piece.resize(MEBIBYTE, 1);
        held.push(black_box(piece));
        got += 1;
    }
    got
}

/// Asks the host for something cheap.
pub fn flood(ctx: &Ctx, amount: &Amount) -> u64 {
    amount.numbers().fold(0, |calls, _| {
        black_box(ctx.left());
        calls + 1
    })
}

/// Notes lines.
pub fn chatter(ctx: &Ctx, amount: &Amount) -> Result<u64, Fault> {
    let mut lines = 0;
    for _ in amount.numbers() {
        ctx.log(Level::Info, "and another thing", json!({ "lines": lines }))?;
        lines += 1;
    }
    Ok(lines)
}

/// Writes.
pub fn fill(ctx: &Ctx, amount: &Amount) -> Result<u64> {
    let folder = ctx.outputs()?;
    fs::create_dir_all(&folder)?;
    let mut file = File::create(folder.join("full"))?;
    let piece = vec![b'x'; MEBIBYTE];
    for written in amount.numbers() {
        file.write_all(&piece).context(format!("after {written} mebibytes"))?;
    }
    Ok(amount.numbers().count() as u64)
}

/// Opens.
pub fn handles(ctx: &Ctx, amount: &Amount) -> Result<u64> {
    let folder = ctx.outputs()?;
    fs::create_dir_all(&folder)?;
    let path = folder.join("open");
    fs::write(&path, "open")?;
    let mut open = Vec::new();
    for _ in amount.numbers() {
        match File::open(&path) {
            Ok(file) => open.push(file),
            Err(_) => break,
        }
    }
    Ok(open.len() as u64)
}

/// Goes deeper.
pub fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == 0 { 0 } else { 1 + recurse(black_box(frame[0] - 1)) }
}
