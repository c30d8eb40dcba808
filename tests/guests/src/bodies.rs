//! Acts on the guest's own body: computing, memory, stack, and how it ends.

use std::hint::black_box;

use wasip2::cli::exit;

use crate::{Came, HELD, number};

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(match verb {
        "spin" => spin(),
        "count" => {
            let sum = (0..number(rest)).fold(0_u64, |sum, it| black_box(sum.wrapping_add(it)));
            Ok(sum.to_string())
        }
        "recurse" => Ok(recurse(0, &[0; 64]).to_string()),
        "descend" => Ok(descend(0).to_string()),
        "refill" => fill(number(rest)),
        "copy" => copy(number(rest)),
        "grow" => grow(number(rest)),
        "grow-gently" => grow_gently(number(rest)),
        "pattern" => {
            HELD.with_borrow_mut(|held| held.memory.push(vec![0xa5; number(rest) as usize]));
            Ok(String::new())
        }
        "residue" => residue(number(rest)),
        "allocate-forever" => loop {
            HELD.with_borrow_mut(|held| held.memory.push(black_box(vec![1; 1 << 20])));
        },
        "exit" => {
            exit::exit_with_code(number(rest) as u8);
            Ok(String::new())
        }
        "panic" => panic!("{rest}"),
        "noop" => Ok(String::new()),
        _ => return None,
    })
}

fn spin() -> Came {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
        if turns == u64::MAX {
            return Ok(String::new());
        }
    }
}

fn recurse(depth: u64, above: &[u64; 64]) -> u64 {
    let mut own = *black_box(above);
    own[0] = depth;
    let below = if depth == u64::MAX { 0 } else { recurse(depth + 1, &own) };
    below.wrapping_add(black_box(&own)[0])
}

/// Goes deeper with nothing that has an address: only the engine's stack grows.
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { descend(depth + 1).rotate_left(1) ^ depth }
}

/// Fills a mebibyte again and again: one instruction each, and much work.
fn fill(times: u64) -> Came {
    let mut memory = vec![0_u8; 1 << 20];
    for time in 0..times {
        black_box(&mut memory[..]).fill(time as u8);
    }
    Ok(memory[0].to_string())
}

fn copy(times: u64) -> Came {
    let mut memory = vec![1_u8; 2 << 20];
    for _ in 0..times {
        black_box(&mut memory[..]).copy_within(0..1 << 20, 1 << 20);
    }
    Ok(memory[0].to_string())
}

/// Grows memory by so many pages, as the instruction does, and says how it went.
fn grow(pages: u64) -> Came {
    match core::arch::wasm32::memory_grow::<0>(pages as usize) {
        usize::MAX => Err("refused".to_owned()),
        _ => Ok(String::new()),
    }
}

/// Page by page until it is refused; then the program is still well.
fn grow_gently(pages: u64) -> Came {
    for page in 0..pages {
        if core::arch::wasm32::memory_grow::<0>(1) == usize::MAX {
            return Err(if page > 0 { "refused".to_owned() } else { "refused at once".to_owned() });
        }
    }
    Ok(String::new())
}

/// Bytes that are not zero in memory that nobody wrote yet.
fn residue(pages: u64) -> Came {
    let memory = vec![0_u8; (pages << 16) as usize];
    let fresh = black_box(memory).iter().filter(|byte| **byte != 0).count();
    Ok(fresh.to_string())
}
