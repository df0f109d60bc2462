//! Changes commands on their way to Redis: this is how bugs are planted, without a switch in the product.
//!
//! A script is changed when it is loaded. Its name, the SHA-1 of its text, changes with it, so each call
//! of the script is renamed too.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_redis::redis::Script;

/// A command: its name and its arguments.
pub type Command = Vec<Vec<u8>>;

/// What changes commands. Its clones know the same scripts.
#[derive(Clone)]
pub struct Rewrite {
    change: Arc<dyn Fn(&mut Command) + Send + Sync>,
    known: Arc<Mutex<Known>>,
}

/// The scripts that were loaded.
#[derive(Default)]
struct Known {
    /// The name that a script has now, by the one that it had.
    renamed: HashMap<Vec<u8>, Vec<u8>>,
    /// Those that may write, by the names that they have now.
    writing: HashSet<Vec<u8>>,
}

/// Whole commands, on their way.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    /// Where the first call of a script that may write begins.
    pub(crate) writes_from: Option<usize>,
}

/// The commands of one connection.
pub(crate) struct Connection {
    rewrite: Rewrite,
    unread: Vec<u8>,
}

impl Rewrite {
    /// Changes each command so. A script's text is the last argument of `SCRIPT LOAD`.
    #[must_use]
    pub fn new(change: impl Fn(&mut Command) + Send + Sync + 'static) -> Self {
        Self {
            change: Arc::new(change),
            known: Arc::default(),
        }
    }

    pub(crate) fn on_a_connection(self) -> Connection {
        Connection {
            rewrite: self,
            unread: Vec::new(),
        }
    }

    /// Changes a command. Answers whether it calls a script that may write.
    fn apply(&self, command: &mut Command) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if is_load(command) {
            let before = name_of(&command[2]);
            (self.change)(command);
            let after = name_of(&command[2]);
            let first_line = command[2].split(|byte| *byte == b'\n').next();
            let first_line = String::from_utf8_lossy(first_line.unwrap_or_default());
            if !first_line.contains("no-writes") {
                known.writing.insert(after.clone());
            }
            known.renamed.insert(before, after);
            return false;
        }
        (self.change)(command);
        if !command[0].eq_ignore_ascii_case(b"EVALSHA") {
            return false;
        }
        if let Some(name) = known.renamed.get(&command[1]) {
            command[1].clone_from(name);
        }
        known.writing.contains(&command[1])
    }
}

/// Whether a command makes Redis know a script.
#[must_use]
pub fn is_load(command: &Command) -> bool {
    command.len() == 3
        && command[0].eq_ignore_ascii_case(b"SCRIPT")
        && command[1].eq_ignore_ascii_case(b"LOAD")
}

fn name_of(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    Script::new(&text).get_hash().as_bytes().to_vec()
}

impl Connection {
    /// Takes bytes that came, and answers those to send: whole commands only.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Sent {
        self.unread.extend_from_slice(bytes);
        let mut sent = Sent::default();
        let mut read = 0;
        while let Some((mut command, length)) = read_command(&self.unread[read..]) {
            read += length;
            if self.rewrite.apply(&mut command) {
                sent.writes_from.get_or_insert(sent.bytes.len());
            }
            write_command(&command, &mut sent.bytes);
        }
        self.unread.drain(..read);
        sent
    }
}

/// A whole command in the protocol of Redis, and how long it is.
fn read_command(bytes: &[u8]) -> Option<(Command, usize)> {
    let mut at = 0;
    let mut number = |sign: u8, skip: usize| -> Option<(usize, usize)> {
        at += skip;
        let line = bytes.get(at..)?;
        let end = line.windows(2).position(|pair| pair == b"\r\n")?;
        assert_eq!(line[0], sign, "the driver sends arrays of texts");
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

    #[test]
    fn a_script_is_changed_and_its_calls_find_it_however_the_bytes_are_cut() {
        let rewrite = Rewrite::new(|command| {
            if is_load(command) {
                command[2] = b"return 22".to_vec();
            }
        });
        let mut bytes = Vec::new();
        let text = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Command>();
        write_command(&text(&[b"SCRIPT", b"LOAD", b"return 1"]), &mut bytes);
        write_command(
            &text(&[b"EVALSHA", &name_of(b"return 1"), b"0"]),
            &mut bytes,
        );
        let mut expected = Vec::new();
        write_command(&text(&[b"SCRIPT", b"LOAD", b"return 22"]), &mut expected);
        let call = text(&[b"EVALSHA", &name_of(b"return 22"), b"0"]);
        write_command(&call, &mut expected);

        let mut connection = rewrite.on_a_connection();
        let sent: Vec<u8> = bytes
            .chunks(3)
            .flat_map(|some| connection.take(some).bytes)
            .collect();
        assert_eq!(sent, expected);
    }
}
