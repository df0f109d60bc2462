//! One target for libFuzzer, named by `FUZZ_TARGET`.

#![no_main]
#![allow(clippy::expect_used, reason = "a wrong name must end the program")]

use std::sync::LazyLock;

use fuzz::{TARGETS, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use testkit::Random;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.expect("FUZZ_TARGET must name a target of the crate `fuzz`")
});

fuzz_target!(|data: &[u8]| (TARGET.check)(data));

// Adds nearly valid inputs, which libFuzzer hardly finds by itself.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed.into());
    if random.one_in(8) {
        let input = (TARGET.generate)(&mut random);
        if input.len() <= max_size {
            data[..input.len()].copy_from_slice(&input);
            return input.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});
