//! What compiling the functions of a component will take, by estimate.
//!
//! Most of a function costs the compiler in proportion to its bytes. Two things do not: it compares
//! points of control with each other (so their square counts), and it keeps a table of every
//! variable at every point. A hundred kilobytes of nothing but loops take a hundred seconds; thirty
//! kilobytes of loops that hand on thirty values take twenty-two gigabytes. The factors below were
//! measured on one core of an ordinary machine, with functions written to cost most, and rounded
//! up.

use wasmparser::{BlockType, FunctionBody, Operator, Parser, Payload, TypeSectionReader};

use super::bounds::{Bound, Counts};
use super::{Refused, structure};

/// Nanoseconds for a function, however short.
const FUNCTION: u64 = 100_000;

/// Nanoseconds for a byte of a body.
const BYTE: u64 = 5_000;

/// Nanoseconds for a pair of points of control.
const PAIR: u64 = 5;

/// Nanoseconds for a variable at a point of control. With it go up to eight bytes of memory.
const CARRIED: u64 = 100;

/// Estimates every function of `bytes`, in microseconds.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other parts hold no code")]
pub(super) fn estimate(bytes: &[u8], counts: &mut Counts) -> Result<(), Refused> {
    let mut widths = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|why| structure::malformed(&why))? {
            Payload::ModuleSection { .. } => widths.clear(),
            Payload::TypeSection(types) => measure(types, &mut widths, counts)?,
            Payload::CodeSectionEntry(body) => {
                let effort = Effort::of(&body, &widths);
                let micros = effort.map_err(|why| structure::malformed(&why))?.micros();
                counts.at_least(Bound::BodyWork, micros)?;
                counts.add(Bound::Work, micros)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Appends how many values each type takes and gives.
fn measure(
    types: TypeSectionReader<'_>,
    widths: &mut Vec<u64>,
    counts: &mut Counts,
) -> Result<(), Refused> {
    for ty in types.into_iter_err_on_gc_types() {
        let ty = ty.map_err(|why| structure::malformed(&why))?;
        let width = structure::size(ty.params().len().saturating_add(ty.results().len()));
        counts.at_least(Bound::Width, width)?;
        widths.push(width);
    }
    Ok(())
}

/// What makes a function laborious.
#[derive(Debug, Default)]
struct Effort {
    bytes: u64,
    points: u64,
    variables: u64,
}

impl Effort {
    fn of(body: &FunctionBody<'_>, widths: &[u64]) -> wasmparser::Result<Self> {
        let mut effort = Self { bytes: structure::size(body.range().len()), ..Self::default() };
        for local in body.get_locals_reader()? {
            effort.add(0, local?.0.into());
        }
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let operator = reader.read()?;
            effort.add(weight(&operator), handed_on(&operator, widths));
        }
        Ok(effort)
    }

    const fn add(&mut self, points: u64, variables: u64) {
        self.points = self.points.saturating_add(points);
        self.variables = self.variables.saturating_add(variables);
    }

    const fn micros(&self) -> u64 {
        let bytes = self.bytes.saturating_mul(BYTE);
        let pairs = self.points.saturating_mul(self.points).saturating_mul(PAIR);
        let carried = self.points.saturating_mul(self.variables).saturating_mul(CARRIED);
        FUNCTION.saturating_add(bytes).saturating_add(pairs).saturating_add(carried) / 1_000
    }
}

/// What a block takes and gives: a variable each.
#[expect(clippy::wildcard_enum_match_arm, reason = "there are hundreds of plain instructions")]
fn handed_on(operator: &Operator<'_>, widths: &[u64]) -> u64 {
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            match blockty {
                BlockType::Empty => 0,
                BlockType::Type(_) => 1,
                BlockType::FuncType(index) => {
                    let index = usize::try_from(*index).unwrap_or(usize::MAX);
                    widths.get(index).copied().unwrap_or_default()
                }
            }
        }
        _ => 0,
    }
}

/// How many points of control an instruction is. A loop checks fuel and time at its head.
#[expect(clippy::wildcard_enum_match_arm, reason = "there are hundreds of plain instructions")]
fn weight(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. } | Operator::Else | Operator::Br { .. } | Operator::BrIf { .. } => 1,
        Operator::If { .. } => 3,
        Operator::Loop { .. } => 8,
        Operator::BrTable { targets } => u64::from(targets.len()).saturating_add(1),
        Operator::Call { .. } | Operator::CallIndirect { .. } => 2,
        // They leave WebAssembly, or may.
        Operator::MemoryGrow { .. }
        | Operator::MemoryCopy { .. }
        | Operator::MemoryFill { .. }
        | Operator::MemoryInit { .. }
        | Operator::DataDrop { .. }
        | Operator::TableGet { .. }
        | Operator::TableSet { .. }
        | Operator::TableGrow { .. }
        | Operator::TableCopy { .. }
        | Operator::TableFill { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. }
        | Operator::RefFunc { .. } => 3,
        _ => 0,
    }
}
