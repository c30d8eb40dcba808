//! Canonical bytes straight from a value: one pass, for what is within the profile and has plain
//! names. Whatever is not goes the long way, which knows why and where.

use std::cell::RefCell;
use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::rewrite::utf16_order;
use super::{BYTES_MAX, DEPTH_MAX};
use crate::usage::MAX_EXACT;

/// Bytes of most records.
const TYPICAL_BYTES: usize = 768;

/// What [`of`](super::of) gives for `value`, or nothing, which says nothing of `value`.
pub(super) fn write<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    let out = RefCell::new(Vec::with_capacity(TYPICAL_BYTES));
    let page = Page { out: &out, members: Vec::new(), open: Vec::new(), depth: 0 };
    value.serialize(&mut Serializer::with_formatter(Writer(&out), page)).ok()?;
    Some(out.into_inner()).filter(|bytes| bytes.len() <= BYTES_MAX)
}

/// Writes where the formatter can look.
struct Writer<'out>(&'out RefCell<Vec<u8>>);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written so far.
struct Page<'out> {
    out: &'out RefCell<Vec<u8>>,
    /// The members of every object still open, the innermost last.
    members: Vec<Member>,
    /// The first member of each of them.
    open: Vec<usize>,
    depth: usize,
}

/// Where a member `"key":value` stands.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Member {
    /// The name, without its quotes.
    fn key(self, out: &[u8]) -> &[u8] {
        out.get(self.start + 1..self.key_end.saturating_sub(1)).unwrap_or_default()
    }
}

/// This is for the long way.
fn leave<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

fn exact(number: u64) -> io::Result<()> {
    if number > MAX_EXACT { leave() } else { Ok(()) }
}

impl Page<'_> {
    fn len(&self) -> usize {
        self.out.borrow().len()
    }

    fn enter(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { leave() } else { Ok(()) }
    }

    /// Puts the members from the `first` on in their order.
    fn arrange(&mut self, first: usize) -> io::Result<()> {
        let mut out = self.out.borrow_mut();
        let members = self.members.get_mut(first..).unwrap_or_default();
        let ordered = |a: &Member, b: &Member| utf16_order(a.key(&out), b.key(&out));
        if members.is_sorted_by(|a, b| ordered(a, b).is_lt()) {
            return Ok(());
        }
        let start = members.first().map_or(out.len(), |member| member.start);
        members.sort_unstable_by(ordered);
        if members.windows(2).any(|pair| matches!(pair, [a, b] if a.key(&out) == b.key(&out))) {
            return leave();
        }
        let mut sorted = Vec::with_capacity(out.len() - start);
        for member in members {
            sorted.extend_from_slice(out.get(member.start..member.end).unwrap_or_default());
            sorted.push(b',');
        }
        sorted.pop();
        out.truncate(start);
        out.extend_from_slice(&sorted);
        Ok(())
    }
}

impl Formatter for Page<'_> {
    fn begin_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.enter()?;
        to.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth -= 1;
        to.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.enter()?;
        self.open.push(self.members.len());
        to.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth -= 1;
        let first = self.open.pop().unwrap_or_default();
        self.arrange(first)?;
        self.members.truncate(first);
        to.write_all(b"}")
    }

    fn begin_object_key<W>(&mut self, to: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        if !first {
            to.write_all(b",")?;
        }
        self.members.push(Member { start: self.len(), key_end: 0, end: 0 });
        Ok(())
    }

    /// Names are compared as they are written: one with an escape is for the long way.
    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let out = self.out.borrow();
        let Some(member) = self.members.last_mut() else { return leave() };
        member.key_end = out.len();
        if member.key(&out).contains(&b'\\') { leave() } else { Ok(()) }
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let end = self.len();
        let Some(member) = self.members.last_mut() else { return leave() };
        member.end = end;
        Ok(())
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, to: &mut W, number: u64) -> io::Result<()> {
        exact(number)?;
        serde_json::ser::CompactFormatter.write_u64(to, number)
    }

    fn write_i64<W: ?Sized + io::Write>(&mut self, to: &mut W, number: i64) -> io::Result<()> {
        exact(number.unsigned_abs())?;
        serde_json::ser::CompactFormatter.write_i64(to, number)
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, _: &mut W, _: u128) -> io::Result<()> {
        leave()
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, _: &mut W, _: i128) -> io::Result<()> {
        leave()
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, _: &mut W, _: f32) -> io::Result<()> {
        leave()
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, _: &mut W, _: f64) -> io::Result<()> {
        leave()
    }

    fn write_number_str<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        leave()
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        leave()
    }
}
