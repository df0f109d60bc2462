//! Plants bugs in the scripts, by what the scripts mean: renamed variables, other line breaks and
//! other comments do not matter. A change that finds nothing to change is reported with the name of
//! its bug.

use std::collections::HashMap;
use std::fs::{read_dir, read_to_string};
use std::sync::atomic::{AtomicBool, Ordering};

use regex::Regex;
use torture::world::rewrite::{Command, is_load};

use crate::mutants::Mutant;

/// One change of the scripts.
pub(crate) enum Change {
    /// Replaces what a regular expression matches in one place: a script (`register.lua`) or a
    /// function of the shared preludes (`enter`). There, each comment and each run of white space
    /// is one blank.
    Text(&'static str, &'static str, &'static str),
    /// Runs Lua code before a command on a key of a competition is sent, for example `ZADD
    /// waitlist`. See `command.lua`.
    Command(&'static str, &'static str),
}

/// The Lua files of the store, without their first lines, by name.
pub(crate) struct Sources(HashMap<String, String>);

impl Sources {
    pub(crate) fn read() -> Self {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../crates/store/src/scripts"
        );
        let paths = read_dir(folder)
            .expect("the scripts")
            .map(|file| file.expect("a file").path());
        let scripts = paths.filter(|path| path.extension().is_some_and(|end| end == "lua"));
        let sources = scripts.map(|path| {
            let text = read_to_string(&path).expect("a script");
            let (_, body) = text.split_once('\n').expect("more than one line");
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), body.to_owned())
        });
        Self(sources.collect())
    }

    /// The text of a script or of a function.
    fn place(&self, place: &str) -> Option<&str> {
        if let Some(script) = self.0.get(place) {
            return Some(script);
        }
        let header = format!("local function {place}(");
        self.0.values().find_map(|text| {
            let function = &text[text.find(&header)?..];
            let end = function.find("\nend")? + "\nend".len();
            Some(&function[..end])
        })
    }
}

/// A bug, ready to be planted in scripts when they are loaded.
pub(crate) struct Planted {
    changes: Vec<Planting>,
    was_planted: Vec<AtomicBool>,
}

enum Planting {
    /// An exact piece of the scripts, and what takes its place.
    Text(String, String),
    /// Where the code that follows applies: a command and a key. Then that code.
    Command(String, String),
}

impl Planted {
    /// Returns the change that cannot be planted as an error.
    pub(crate) fn new(mutant: &Mutant, sources: &Sources) -> Result<Self, String> {
        let changes = mutant.changes.iter().map(|change| match change {
            Change::Text(place, pattern, replacement) => {
                let missing = || format!("{}: no {place} with {pattern}", mutant.bug);
                let before = sources.place(place).ok_or_else(missing)?;
                let pattern = Regex::new(pattern).expect("a regular expression");
                let one_line = on_one_line(before);
                let after = pattern.replace_all(&one_line, *replacement);
                if after == one_line {
                    return Err(missing());
                }
                Ok(Planting::Text(before.to_owned(), format!("{after}\n")))
            }
            Change::Command(command, code) => {
                let (name, _) = command.split_once(' ').expect("a command and a key");
                let name = format!("'{name}'");
                if !sources.0.values().any(|script| script.contains(&name)) {
                    return Err(format!("{}: no script sends {name}", mutant.bug));
                }
                let code = format!("if kind == '{command}' then {code} end");
                Ok(Planting::Command(name, code))
            }
        });
        let changes = changes.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            was_planted: changes.iter().map(|_| AtomicBool::new(false)).collect(),
            changes,
        })
    }

    /// Changes a command that loads a script.
    pub(crate) fn plant(&self, command: &mut Command) {
        if !is_load(command) {
            return;
        }
        let mut script = String::from_utf8_lossy(&command[2]).into_owned();
        let mut code = String::new();
        for (change, was_planted) in self.changes.iter().zip(&self.was_planted) {
            match change {
                Planting::Text(before, after) if script.contains(before) => {
                    script = script.replace(before, after);
                }
                Planting::Command(name, planted) if script.contains(name) => {
                    code.push_str(planted);
                    code.push('\n');
                }
                _ => continue,
            }
            was_planted.store(true, Ordering::Relaxed);
        }
        if !code.is_empty() {
            let wrapper = include_str!("command.lua").replace("--PLANTED--", &code);
            let (first_line, rest) = script.split_once('\n').expect("a first line");
            script = format!("{first_line}\n{wrapper}{rest}");
        }
        command[2] = script.into_bytes();
    }

    /// Whether each change was made in a script that a service loaded.
    pub(crate) fn was_planted(&self) -> bool {
        let mut changes = self.was_planted.iter();
        changes.all(|was_planted| was_planted.load(Ordering::Relaxed))
    }
}

/// Lua code with each comment and each run of white space replaced by one blank.
fn on_one_line(code: &str) -> String {
    let without_comments = Regex::new(r"(?m)--.*$").expect("a regular expression");
    let code = without_comments.replace_all(code, "");
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn layout_does_not_matter() {
    let code = "local a = 1 -- one\n-- two\nif a then\n  return { a }\nend";
    assert_eq!(on_one_line(code), "local a = 1 if a then return { a } end");
}
