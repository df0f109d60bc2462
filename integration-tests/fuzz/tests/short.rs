//! Runs the targets on generated input. `FUZZ_SEED` repeats a run, `FUZZ_ROUNDS` makes it longer.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use fuzz::TARGETS;
use fuzz::requests::{self, REQUESTS};
use prost::Message;
use testkit::Random;

fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("a target");
    let rounds = std::env::var("FUZZ_ROUNDS").ok();
    let rounds = rounds.map_or(100_000, |text| {
        text.parse().expect("FUZZ_ROUNDS is a number")
    });
    let mut random = Random::from_environment("FUZZ_SEED");
    let seed = random.seed();
    println!("{name}: FUZZ_SEED={seed} FUZZ_ROUNDS={rounds}");
    for _ in 0..rounds {
        let input = (target.generate)(&mut random);
        let result = catch_unwind(|| (target.check)(&input));
        assert!(
            result.is_ok(),
            "{name} with FUZZ_SEED={seed} on {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn a_request_is_accepted_if_it_is_valid_and_otherwise_every_invalid_field_is_named() {
    run("requests");
}

#[test]
fn a_session_token_is_accepted_only_as_it_was_written() {
    run("session_tokens");
}

#[test]
fn every_request_of_the_contract_is_fuzzed() {
    let files = prost_types::FileDescriptorSet::decode(api::DESCRIPTOR_SET).expect("the contract");
    let ours = files
        .file
        .iter()
        .filter(|file| file.package().starts_with("startlist."));
    let methods = ours
        .flat_map(|file| &file.service)
        .flat_map(|service| &service.method);
    let inputs: BTreeSet<_> = methods
        .map(|method| method.input_type().trim_start_matches('.'))
        .collect();
    let fuzzed: BTreeSet<_> = REQUESTS.iter().map(|request| request.name).collect();
    assert_eq!(fuzzed, inputs);
}

#[test]
fn a_valid_request_of_each_kind_is_accepted() {
    for (which, request) in (0_u8..).zip(REQUESTS) {
        let message = requests::valid(&requests::descriptor(request));
        let expected = fuzz::contract::expected(&message);
        assert!(
            expected.invalid.is_empty(),
            "{}: {expected:?}",
            request.name
        );
        let mut bytes = message.encode_to_vec();
        bytes.insert(0, which);
        requests::check(&bytes);
        assert!(requests::is_accepted(&bytes), "{}", request.name);
    }
}

#[test]
fn a_length_without_content_takes_no_memory() {
    // In turn, each of the fields 1 to 8 of each request has a length of 2 GiB, and hardly any
    // content.
    for which in 0..u8::try_from(REQUESTS.len()).expect("few") {
        for field in 1..9_u8 {
            let mut bytes = vec![which, field << 3 | 2];
            bytes.extend(b"\xff\xff\xff\xff\x07and then not much");
            requests::check(&bytes);
            assert!(!requests::is_accepted(&bytes));
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(
        kib.is_none_or(|kib| kib < 512 * 1024),
        "{kib:?} KiB were taken"
    );
}
