//! Changes commands on their way to Redis, which plants bugs without a switch in the product.
//!
//! A script is changed when it is loaded. This changes its SHA-1 too, by which it is called, so
//! that each call is changed accordingly.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use testkit::redis_client::Script;

/// The name of a command and its arguments.
pub type Command = Vec<Vec<u8>>;

/// A change of commands. Clones share what they know of the loaded scripts.
#[derive(Clone)]
pub struct Rewrite {
    change: Arc<dyn Fn(&mut Command) + Send + Sync>,
    loaded: Arc<Mutex<Loaded>>,
}

/// The loaded scripts, by SHA-1 in hexadecimal digits.
#[derive(Default)]
struct Loaded {
    /// From the hash before the change to the hash after it.
    renamed: HashMap<Vec<u8>, Vec<u8>>,
    /// The changed scripts that may write.
    writing: HashSet<Vec<u8>>,
}

impl Rewrite {
    /// Calls this function for each command. The last argument of `SCRIPT LOAD` is the script.
    #[must_use]
    pub fn new(change: impl Fn(&mut Command) + Send + Sync + 'static) -> Self {
        Self {
            change: Arc::new(change),
            loaded: Arc::default(),
        }
    }

    /// Changes nothing, but lets the link parse commands.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new(|_| {})
    }

    /// Changes a command. Returns whether it calls a script that may write.
    fn apply(&self, command: &mut Command) -> bool {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if is_load(command) {
            let before = sha1(&command[2]);
            (self.change)(command);
            let after = sha1(&command[2]);
            let first_line = command[2].split(|byte| *byte == b'\n').next();
            let first_line = String::from_utf8_lossy(first_line.unwrap_or_default());
            if !first_line.contains("no-writes") {
                loaded.writing.insert(after.clone());
            }
            loaded.renamed.insert(before, after);
            return false;
        }
        (self.change)(command);
        if !command[0].eq_ignore_ascii_case(b"EVALSHA") {
            return false;
        }
        if let Some(hash) = loaded.renamed.get(&command[1]) {
            command[1].clone_from(hash);
        }
        loaded.writing.contains(&command[1])
    }
}

/// Whether a command loads a script.
#[must_use]
pub fn is_load(command: &Command) -> bool {
    command.len() == 3
        && command[0].eq_ignore_ascii_case(b"SCRIPT")
        && command[1].eq_ignore_ascii_case(b"LOAD")
}

fn sha1(script: &[u8]) -> Vec<u8> {
    let script = String::from_utf8_lossy(script);
    Script::new(&script).get_hash().as_bytes().to_vec()
}

/// The commands of one connection.
pub(super) struct CommandStream {
    rewrite: Rewrite,
    unparsed: Vec<u8>,
}

impl CommandStream {
    pub(super) fn new(rewrite: Rewrite) -> Self {
        Self {
            rewrite,
            unparsed: Vec::new(),
        }
    }

    /// Reads bytes and returns the commands that are complete, changed. They are cut before the
    /// first call of a script that may write.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        self.unparsed.extend_from_slice(bytes);
        let (mut before, mut from_first_write) = (Vec::new(), Vec::new());
        let mut parsed = 0;
        while let Some((mut command, length)) = parse_command(&self.unparsed[parsed..]) {
            parsed += length;
            let writes = self.rewrite.apply(&mut command);
            let out = if writes || !from_first_write.is_empty() {
                &mut from_first_write
            } else {
                &mut before
            };
            write_command(&command, out);
        }
        self.unparsed.drain(..parsed);
        (before, from_first_write)
    }
}

/// Parses a command in the Redis protocol; `None` if it is not complete. Returns its length too.
fn parse_command(bytes: &[u8]) -> Option<(Command, usize)> {
    let mut at = 0;
    let mut number = |sign: u8, skip: usize| -> Option<(usize, usize)> {
        at += skip;
        let line = bytes.get(at..)?;
        let end = line.windows(2).position(|pair| pair == b"\r\n")?;
        assert_eq!(line[0], sign, "the driver sends arrays of bulk strings");
        let value = std::str::from_utf8(&line[1..end]).ok()?.parse().ok()?;
        at += end + 2;
        Some((value, at))
    };
    let (count, mut end) = number(b'*', 0)?;
    let mut command = Vec::with_capacity(count);
    let mut skip = 0;
    for _ in 0..count {
        let (length, begin) = number(b'$', skip)?;
        command.push(bytes.get(begin..begin + length)?.to_vec());
        bytes.get(begin + length..begin + length + 2)?;
        end = begin + length + 2;
        skip = length + 2;
    }
    Some((command, end))
}

fn write_command(command: &Command, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for argument in command {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(commands: &[&[&[u8]]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for command in commands {
            let command = command.iter().map(|argument| argument.to_vec()).collect();
            write_command(&command, &mut bytes);
        }
        bytes
    }

    #[test]
    fn a_script_and_its_calls_are_changed_however_the_bytes_are_cut() {
        let rewrite = Rewrite::new(|command| {
            if is_load(command) {
                command[2] = b"return 22".to_vec();
            }
        });
        let sent = write(&[
            &[b"SCRIPT", b"LOAD", b"return 1"],
            &[b"EVALSHA", &sha1(b"return 1"), b"0"],
        ]);
        let mut stream = CommandStream::new(rewrite);
        let mut received = Vec::new();
        for bytes in sent.chunks(3) {
            let (before, from_first_write) = stream.read(bytes);
            received.extend(before);
            received.extend(from_first_write);
        }
        let expected = write(&[
            &[b"SCRIPT", b"LOAD", b"return 22"],
            &[b"EVALSHA", &sha1(b"return 22"), b"0"],
        ]);
        assert_eq!(received, expected);
    }
}
