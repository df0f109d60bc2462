//! The images that the containers are built from and run: each is pinned by digest, with its tag
//! beside it.

use std::fs;

/// The images that a file names behind one of these prefixes.
fn images<'a>(text: &'a str, prefixes: &[&str]) -> Vec<&'a str> {
    let named = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let name = prefixes
            .iter()
            .find_map(|prefix| line.strip_prefix(prefix))?;
        name.split([' ', '}']).next()
    });
    named.collect()
}

fn is_pinned(image: &str) -> bool {
    let Some((name, digest)) = image.split_once("@sha256:") else {
        return false;
    };
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    name.contains(':') && digest.len() == 64 && digest.chars().all(is_hex)
}

#[test]
fn every_image_is_pinned_by_tag_and_digest() {
    let read = |file: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        fs::read_to_string(format!("{root}/{file}")).expect("a file")
    };
    let dockerfile = read("docker/Dockerfile");
    let compose = read("compose.yaml");
    let mut found = images(
        &dockerfile,
        &["ARG RUST_IMAGE=", "ARG RUNTIME_IMAGE=", "FROM "],
    );
    // Stages, the arguments above, and the empty image.
    found.retain(|name| !name.starts_with('$') && !["build", "scratch"].contains(name));
    let redis = "image: ${STARTLIST_REDIS_IMAGE:-";
    found.extend(images(&compose, &[redis, "# valkey/"]));
    assert_eq!(found.len(), 3, "{found:?}");
    for image in found {
        assert!(is_pinned(image), "{image}");
    }
}
