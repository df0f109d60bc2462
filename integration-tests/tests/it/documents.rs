//! The documents name files that exist. The Python tests run the tutorial of the README.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 4] = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"];

#[test]
fn every_path_in_the_documents_exists() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut checked = 0;
    for document in documents(root) {
        let text = fs::read_to_string(&document).expect("a document");
        let folder = document.parent().expect("a folder");
        for link in relative_links(&text) {
            assert!(folder.join(link).exists(), "{}: {link}", document.display());
            checked += 1;
        }
        for path in paths_from_the_root(&text, root) {
            assert!(root.join(path).exists(), "{}: {path}", document.display());
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} paths were recognised");
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let mut documents = Vec::new();
    for name in DOCUMENTS {
        let path = root.join(name);
        if path.is_dir() {
            let files = fs::read_dir(path).expect("a folder");
            documents.extend(files.map(|file| file.expect("a file").path()));
        } else {
            documents.push(path);
        }
    }
    documents
}

/// The targets of Markdown links within the repository, without their anchors.
fn relative_links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter_map(|target| target.split('#').next())
}

/// The texts in backticks that name a file or a folder of the repository: they contain a slash and
/// begin with an entry of its root.
fn paths_from_the_root<'a>(text: &'a str, root: &'a Path) -> impl Iterator<Item = &'a str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| {
        let is_path = !quoted.contains([' ', '\n', '<', '*', '{', ':']);
        let first = quoted.split_once('/').map_or("", |(first, _)| first);
        is_path && !first.is_empty() && first != "target" && root.join(first).exists()
    })
}
