//! The README points at what is there. Its story is run by the Python tests.

use std::fs;
use std::path::Path;

#[test]
fn every_path_that_the_readme_names_is_there() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let (_, after_the_story) = readme.split_once("## The map").expect("the map");
    let (_, request) = after_the_story
        .split_once("## One request")
        .expect("the request");
    let code = |text: &str| -> Vec<String> {
        let quoted = text.split('`').skip(1).step_by(2);
        quoted
            .filter(|text| text.contains('/') && !text.contains(':'))
            .map(str::to_owned)
            .collect()
    };
    let links = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let links = links
        .filter(|link| !link.contains("://"))
        .map(str::to_owned);

    let mut seen = 0;
    for name in code(after_the_story).into_iter().chain(links) {
        // In the story of the request the paths are below `crates/`.
        let is_there = root.join(&name).exists()
            || (request.contains(&name) && root.join("crates").join(&name).exists());
        assert!(is_there, "{name}");
        seen += 1;
    }
    assert!(
        seen > 20,
        "only {seen} paths: are they still marked as code?"
    );
}
