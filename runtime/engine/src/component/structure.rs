//! One walk over a component: what it imports and exports, and how much of everything it holds.
//!
//! Nothing is validated here, and no body of a function is read: the walk takes a few microseconds
//! for each of a component's parts, and stops at the first bound that is passed.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload, SectionLimited,
};

use super::Refused;
use super::bounds::{Bound, Counts};

/// What the walk saw.
#[derive(Debug, Default)]
pub(super) struct Structure {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) counts: Counts,
}

/// Walks over `bytes`.
pub(super) fn walk(bytes: &[u8]) -> Result<Structure, Refused> {
    let mut walk = Walk::default();
    walk.seen.counts.add(Bound::Bytes, size(bytes.len()))?;
    is_wasm(bytes)?;
    for payload in Parser::new(0).parse_all(bytes) {
        walk.step(payload.map_err(|why| malformed(&why))?)?;
    }
    Ok(walk.seen)
}

/// What WebAssembly begins with.
const MAGIC: &[u8] = b"\0asm";

/// Says of something else what it is.
fn is_wasm(bytes: &[u8]) -> Result<(), Refused> {
    if bytes.starts_with(MAGIC) {
        return Ok(());
    }
    Err(Refused::NotWasm(match std::str::from_utf8(bytes) {
        Ok("") => "an empty file",
        Ok(text) if text.trim_start().starts_with("(") => "the text format of WebAssembly",
        Ok(_) => "text",
        Err(_) => "no WebAssembly",
    }))
}

/// What it takes to instantiate a component, with everything inside.
#[derive(Debug, Clone, Copy, Default)]
struct Effort {
    steps: u64,
    instances: u64,
}

impl Effort {
    const fn add(&mut self, steps: u64, instances: u64) {
        self.steps = self.steps.saturating_add(steps);
        self.instances = self.instances.saturating_add(instances);
    }
}

/// A module or component that the walk is in.
#[derive(Debug)]
struct Level {
    encoding: Encoding,
    /// What it takes to instantiate this one.
    effort: Effort,
    /// The same for the components that can be named here, by index.
    components: Vec<Effort>,
}

#[derive(Default)]
struct Walk {
    seen: Structure,
    levels: Vec<Level>,
}

impl Walk {
    fn step(&mut self, payload: Payload<'_>) -> Result<(), Refused> {
        // A body of a function is a step of the walk too, but no section.
        if !matches!(payload, Payload::CodeSectionEntry(_)) {
            self.count(Bound::Sections, 1)?;
        }
        match payload {
            Payload::Version { encoding, .. } => self.enter(encoding),
            Payload::End(_) => self.leave(),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.count(Bound::Modules, 1)
            }
            Payload::CodeSectionEntry(body) => {
                self.seen.counts.at_least(Bound::BodyBytes, size(body.range().len()))
            }
            Payload::CodeSectionStart { count, .. } => self.count(Bound::Functions, count),
            Payload::TypeSection(it) => self.count(Bound::Types, it.count()),
            Payload::ImportSection(it) => self.count(Bound::Links, it.count()),
            Payload::ExportSection(it) => self.count(Bound::Links, it.count()),
            Payload::FunctionSection(it) => Bound::Functions.check(it.count().into()),
            Payload::TagSection(it) => self.count(Bound::Globals, it.count()),
            Payload::GlobalSection(it) => self.count(Bound::Globals, it.count()),
            Payload::ElementSection(it) => self.count(Bound::Segments, it.count()),
            Payload::DataSection(it) => self.count(Bound::Segments, it.count()),
            Payload::DataCountSection { count, .. } => Bound::Segments.check(count.into()),
            Payload::TableSection(it) => self.count(Bound::Links, it.count()),
            Payload::MemorySection(it) => self.count(Bound::Links, it.count()),
            Payload::CoreTypeSection(it) => self.count(Bound::Types, it.count()),
            Payload::ComponentTypeSection(it) => {
                self.count(Bound::Types, it.count())?;
                self.take(it.count(), 0)
            }
            Payload::ComponentCanonicalSection(it) => self.take(it.count(), 0),
            Payload::InstanceSection(it) => self.core_instances(it),
            Payload::ComponentInstanceSection(it) => self.instances(it),
            Payload::ComponentAliasSection(it) => self.aliases(it),
            Payload::ComponentImportSection(it) => self.imports(it),
            Payload::ComponentExportSection(it) => self.exports(it),
            Payload::ComponentStartSection { .. } => Err(Refused::Unsupported("a start function")),
            Payload::StartSection { .. } | Payload::CustomSection(_) => Ok(()),
            Payload::UnknownSection { .. } => Err(Refused::Unsupported("a section nobody knows")),
            _ => Err(Refused::Unsupported("something newer than this reader")),
        }
    }

    fn count(&mut self, bound: Bound, count: u32) -> Result<(), Refused> {
        self.seen.counts.add(bound, count.into())
    }

    fn enter(&mut self, encoding: Encoding) -> Result<(), Refused> {
        if self.levels.is_empty() && encoding == Encoding::Module {
            return Err(Refused::CoreModule);
        }
        self.levels.push(Level { encoding, effort: Effort::default(), components: Vec::new() });
        self.seen.counts.at_least(Bound::Nesting, size(self.levels.len()))
    }

    fn leave(&mut self) -> Result<(), Refused> {
        let Some(left) = self.levels.pop() else { return Ok(()) };
        match (left.encoding, self.levels.last_mut()) {
            (Encoding::Component, Some(outer)) => outer.components.push(left.effort),
            (Encoding::Component | Encoding::Module, _) => {}
        }
        Ok(())
    }

    /// Adds to what it takes to instantiate the component that the walk is in.
    fn take(&mut self, steps: u32, instances: u32) -> Result<(), Refused> {
        self.take_all(Effort { steps: steps.into(), instances: instances.into() })
    }

    fn take_all(&mut self, more: Effort) -> Result<(), Refused> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        level.effort.add(more.steps, more.instances);
        self.seen.counts.at_least(Bound::Steps, level.effort.steps)?;
        self.seen.counts.at_least(Bound::Instances, level.effort.instances)
    }

    fn core_instances(&mut self, section: SectionLimited<'_, Instance<'_>>) -> Result<(), Refused> {
        for instance in section {
            let (steps, instances) = match instance.map_err(|why| malformed(&why))? {
                Instance::Instantiate { args, .. } => (size(args.len()), 1),
                Instance::FromExports(exports) => (size(exports.len()), 0),
            };
            self.take_all(Effort { steps: steps.saturating_add(1), instances })?;
        }
        Ok(())
    }

    fn instances(
        &mut self,
        section: SectionLimited<'_, ComponentInstance<'_>>,
    ) -> Result<(), Refused> {
        for instance in section {
            match instance.map_err(|why| malformed(&why))? {
                ComponentInstance::Instantiate { component_index, args } => {
                    if args.iter().any(|arg| arg.kind == ComponentExternalKind::Component) {
                        return Err(Refused::Unsupported(GIVEN));
                    }
                    let inside = self.component(0, component_index)?;
                    self.take_all(inside)?;
                    self.take_all(Effort { steps: size(args.len()), instances: 0 })?;
                }
                ComponentInstance::FromExports(exports) => {
                    self.take_all(Effort { steps: size(exports.len()), instances: 0 })?;
                }
            }
            self.take(1, 0)?;
        }
        Ok(())
    }

    fn aliases(&mut self, section: SectionLimited<'_, ComponentAlias<'_>>) -> Result<(), Refused> {
        for alias in section {
            self.take(1, 0)?;
            match alias.map_err(|why| malformed(&why))? {
                ComponentAlias::Outer {
                    kind: ComponentOuterAliasKind::Component,
                    count,
                    index,
                } => {
                    let effort = self.component(count, index)?;
                    self.name(effort);
                }
                ComponentAlias::InstanceExport {
                    kind: ComponentExternalKind::Component, ..
                } => return Err(Refused::Unsupported(GIVEN)),
                ComponentAlias::Outer { .. }
                | ComponentAlias::InstanceExport { .. }
                | ComponentAlias::CoreInstanceExport { .. } => {}
            }
        }
        Ok(())
    }

    fn imports(
        &mut self,
        section: SectionLimited<'_, wasmparser::ComponentImport<'_>>,
    ) -> Result<(), Refused> {
        for import in section {
            let import = import.map_err(|why| malformed(&why))?;
            self.take(1, 0)?;
            if matches!(import.ty, ComponentTypeRef::Component(_)) {
                return Err(Refused::Unsupported(GIVEN));
            }
            if self.levels.len() == 1 {
                self.seen.counts.add(Bound::Names, 1)?;
                self.seen.imports.push(import.name.name.to_owned());
            }
        }
        Ok(())
    }

    fn exports(
        &mut self,
        section: SectionLimited<'_, wasmparser::ComponentExport<'_>>,
    ) -> Result<(), Refused> {
        for export in section {
            let export = export.map_err(|why| malformed(&why))?;
            self.take(1, 0)?;
            // What is exported can be named again, by the next index.
            if export.kind == ComponentExternalKind::Component {
                let effort = self.component(0, export.index)?;
                self.name(effort);
            }
            if self.levels.len() == 1 {
                self.seen.counts.add(Bound::Names, 1)?;
                self.seen.exports.push(export.name.name.to_owned());
            }
        }
        Ok(())
    }

    /// The effort of the component `index`, as it is called `outer` levels further out.
    fn component(&self, outer: u32, index: u32) -> Result<Effort, Refused> {
        let outer = usize::try_from(outer).unwrap_or(usize::MAX);
        let level = self.levels.iter().rev().nth(outer);
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let known = level.and_then(|level| level.components.get(index));
        known.copied().ok_or(Refused::Unsupported("a component that is not there"))
    }

    fn name(&mut self, effort: Effort) {
        if let Some(level) = self.levels.last_mut() {
            level.components.push(effort);
        }
    }
}

/// Nobody could say, before they are instantiated, how much is in such components.
const GIVEN: &str = "a component that is given to another";

/// What the reader says when there is not enough to read: a test makes it say so.
const TOO_SHORT: &str = "unexpected end-of-file";

pub(super) fn malformed(why: &wasmparser::BinaryReaderError) -> Refused {
    match why.message() {
        TOO_SHORT => Refused::Truncated { byte: why.offset() },
        why_not => Refused::Malformed { byte: why.offset(), why: why_not.to_owned() },
    }
}

pub(super) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
