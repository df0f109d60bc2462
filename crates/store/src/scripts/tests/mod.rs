//! Tests of all scripts together.
//!
//! - [`fixture`]: data, and a valid call of each script.
//! - [`write_order`]: no script writes before its last check.
//! - [`fuzz`]: every script on damaged data and with damaged arguments.

mod fixture;
mod fuzz;
mod write_order;

use std::path::Path;

use super::all;

#[test]
fn every_script_states_when_it_may_run_and_its_contract() {
    let first_lines = ["#!lua", "#!lua flags=allow-oom", "#!lua flags=no-writes"];
    for (name, script) in all() {
        let first_line = script.text.lines().next().unwrap_or_default();
        assert!(first_lines.contains(&first_line), "{name}");
        assert_eq!(script.text.matches("#!lua").count(), 1, "{name}");
        for part in ["-- KEYS:", "-- ARGV", "-- Replies "] {
            assert!(script.text.contains(part), "{name} does not state {part}");
        }
    }
}

#[test]
fn every_lua_file_is_a_script_or_a_prelude() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scripts");
    let files = std::fs::read_dir(folder).expect("the folder of the scripts");
    let mut scripts: Vec<String> = files
        .map(|file| file.expect("a file").file_name())
        .map(|name| name.into_string().expect("a UTF-8 name"))
        .filter(|name| !name.starts_with("prelude_"))
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "lua"))
        .collect();
    scripts.sort();
    let mut known: Vec<_> = all().iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(scripts, known);
}
