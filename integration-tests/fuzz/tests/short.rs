//! Bad input, made from good by a seed that is printed. Repeat a run with `FUZZ_SEED`, make it longer with
//! `FUZZ_ROUNDS`.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::time::{SystemTime, UNIX_EPOCH};

use fuzz::mutation::Random;
use fuzz::requests::{self, REQUESTS};
use fuzz::{TARGETS, Target};
use prost::Message;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect(name))
}

fn run(name: &str) {
    let target: &Target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let seed = setting("FUZZ_SEED").unwrap_or(now.as_secs());
    let rounds = setting("FUZZ_ROUNDS").unwrap_or(100_000);
    println!("{name}: FUZZ_SEED={seed} FUZZ_ROUNDS={rounds}");
    let mut random = Random(seed);
    for _ in 0..rounds {
        let input = (target.make)(&mut random);
        let held = catch_unwind(|| (target.check)(&input));
        assert!(
            held.is_ok(),
            "{name} with FUZZ_SEED={seed} on {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn requests_are_accepted_if_they_keep_the_contract_and_refused_with_every_wrong_field() {
    run("requests");
}

#[test]
fn page_tokens_lead_on_in_the_list_that_gave_them_and_nowhere_else() {
    run("page_tokens");
}

#[test]
fn session_tokens_are_read_as_they_were_written_or_not_at_all() {
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
fn a_good_request_of_each_kind_is_accepted() {
    for (which, request) in (0_u8..).zip(REQUESTS) {
        let message = requests::good(&requests::descriptor(request));
        let wrong = fuzz::contract::wrong(&message);
        assert!(wrong.surely.is_empty(), "{}: {wrong:?}", request.name);
        let mut bytes = message.encode_to_vec();
        bytes.insert(0, which);
        requests::check(&bytes);
        assert!(requests::is_accepted(&bytes), "{}", request.name);
    }
}

#[test]
fn lengths_that_are_not_there_take_no_memory() {
    // Fields 1 to 8 of each request say that they hold 2 GiB, which are not there.
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
