//! Which proposals of WebAssembly guests may use: a short list. Whatever is not on it is off, also
//! what a later version of the engine brings along.

use wasmparser::WasmFeatures;

/// What is on: what compilers emit today without being asked, and nothing that two machines could
/// compute differently.
const ON: [WasmFeatures; 12] = [
    // The first version of WebAssembly, numbers with a fraction among it.
    WasmFeatures::FLOATS,
    WasmFeatures::MUTABLE_GLOBAL,
    // The instructions and encodings that every compiler takes for granted.
    WasmFeatures::SATURATING_FLOAT_TO_INT,
    WasmFeatures::SIGN_EXTENSION,
    WasmFeatures::MULTI_VALUE,
    WasmFeatures::BULK_MEMORY,
    // For the encoding of tables. References into the host need `gc-types`, which is off.
    WasmFeatures::REFERENCE_TYPES,
    // Sums in the offsets of data: position-independent code, thus Python and its extensions.
    WasmFeatures::EXTENDED_CONST,
    // Lanes compute what loops compute. The relaxed ones are held to one result on all machines.
    WasmFeatures::SIMD,
    WasmFeatures::RELAXED_SIMD,
    // The engine's own adapters between the components of a composition copy from one memory into
    // another. Switched off, the engine does not refuse such a composition but panics.
    WasmFeatures::MULTI_MEMORY,
    WasmFeatures::COMPONENT_MODEL,
];

/// What is on.
pub fn on() -> WasmFeatures {
    ON.into_iter().collect()
}

/// What is off, each by its name. The most telling reasons: `threads` and
/// `shared-everything-threads` let the order of events decide; `gc-types`, `gc`,
/// `function-references`, `exceptions` and `stack-switching` bring a second heap or stack that no
/// limit of a run counts; `memory64` and `custom-page-sizes` make every bound a slow one;
/// `tail-call`, `wide-arithmetic` and the rest are more compiler to trust than guests ask for;
/// everything asynchronous in the component model makes each call of the host two to three times as
/// dear.
pub fn off() -> impl Iterator<Item = (String, WasmFeatures)> {
    all().filter(|(_, feature)| !on().contains(*feature))
}

/// Every proposal that the engine knows by name.
pub(super) fn all() -> impl Iterator<Item = (String, WasmFeatures)> {
    WasmFeatures::all()
        .iter_names()
        .map(|(name, feature)| (name.to_lowercase().replace('_', "-"), feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_decided() {
        let off: WasmFeatures = off().map(|(_, feature)| feature).collect();
        assert_eq!(on() | off, WasmFeatures::all());
        assert_eq!(on() & off, WasmFeatures::empty());
    }
}
