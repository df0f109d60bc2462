//! One target of `fuzz`, named by `FUZZ_TARGET`, for libFuzzer.

#![no_main]

use std::sync::LazyLock;

use fuzz::mutation::Random;
use fuzz::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.expect("FUZZ_TARGET must name a target of the crate `fuzz`")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.check)(data));

// Now and then something good, or nearly, which libFuzzer would hardly come upon by itself.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random(seed.into());
    if random.one_in(8) {
        let made = (TARGET.make)(&mut random);
        if made.len() <= max_size {
            data[..made.len()].copy_from_slice(&made);
            return made.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
});
