//! `wasi:random`: all chance comes from the seed in the run's header.

use envelope_rules::guard::Capability;

use crate::airlock::{Airlock, insist};
use crate::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::gate::Answer;
use crate::request::Request;
use crate::stop::Stop;
use crate::wasi::files::MOVE_BYTES_MAX;

/// Bytes of chance in one call: as many as any other call moves. The interface has no word for
/// fewer than were asked for, so a run that asks for more is over.
pub const RANDOM_BYTES_MAX: u64 = MOVE_BYTES_MAX;

impl random::Host for Airlock {
    async fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.chance("random.get-random-bytes", len).await
    }

    async fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number("random.get-random-u64").await
    }
}

impl insecure::Host for Airlock {
    async fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.chance("insecure.get-insecure-random-bytes", len).await
    }

    async fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.number("insecure.get-insecure-random-u64").await
    }
}

impl insecure_seed::Host for Airlock {
    async fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        // It stands for a value that is imported once: however often it is asked for, the same.
        let request = Request::plain(Capability::Random, "insecure-seed.insecure-seed", "", &());
        let tell = |inside: &mut crate::inside::Inside, _| {
            let seed = inside.chance.constant();
            (seed, Answer::computed(&[seed.0.to_be_bytes(), seed.1.to_be_bytes()].concat()))
        };
        insist(self.gate.inner(request.moving(16), tell).await)
    }
}

impl Airlock {
    async fn number(&mut self, operation: &'static str) -> wasmtime::Result<u64> {
        let bytes = self.chance(operation, 8).await?;
        Ok(bytes.into_iter().fold(0, |number, byte| (number << 8) | u64::from(byte)))
    }

    async fn chance(&mut self, operation: &'static str, len: u64) -> wasmtime::Result<Vec<u8>> {
        let count = usize::try_from(len).unwrap_or(usize::MAX);
        if len > RANDOM_BYTES_MAX {
            return Err(Stop::Exhausted("random bytes in one call").into());
        }
        let request = Request::plain(Capability::Random, operation, format!("{len} bytes"), &len);
        let take = |inside: &mut crate::inside::Inside, _| {
            let bytes = inside.chance.take(count);
            let answer = Answer::computed(&bytes).moved(len);
            (bytes, answer)
        };
        insist(self.gate.inner(request.moving(len), take).await)
    }
}
