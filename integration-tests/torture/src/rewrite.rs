//! Changes commands on their way to Redis: this is how bugs are planted, without a switch in the product.
//!
//! A script is changed when it is loaded. Its name, the SHA-1 of its text, changes with it, so each call
//! of the script is renamed too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_redis::redis::Script;

/// A command: its name and its arguments.
pub type Command = Vec<Vec<u8>>;

/// What changes commands. Its clones know the same scripts.
#[derive(Clone)]
pub struct Rewrite {
    change: fn(&mut Command),
    renamed: Arc<Mutex<HashMap<Vec<u8>, Vec<u8>>>>,
}

/// The commands of one connection.
pub(crate) struct Connection {
    rewrite: Rewrite,
    unread: Vec<u8>,
}

impl Rewrite {
    /// Changes each command so. A script's text is the last argument of `SCRIPT LOAD`.
    #[must_use]
    pub fn new(change: fn(&mut Command)) -> Self {
        Self {
            change,
            renamed: Arc::default(),
        }
    }

    pub(crate) fn on_a_connection(self) -> Connection {
        Connection {
            rewrite: self,
            unread: Vec::new(),
        }
    }

    fn apply(&self, command: &mut Command) {
        let mut renamed = self.renamed.lock().unwrap_or_else(PoisonError::into_inner);
        if is_load(command) {
            let before = name_of(&command[2]);
            (self.change)(command);
            renamed.insert(before, name_of(&command[2]));
            return;
        }
        (self.change)(command);
        if command[0].eq_ignore_ascii_case(b"EVALSHA")
            && let Some(name) = renamed.get(&command[1])
        {
            command[1].clone_from(name);
        }
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
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.unread.extend_from_slice(bytes);
        let mut sent = Vec::with_capacity(self.unread.len());
        let mut read = 0;
        while let Some((mut command, length)) = read_command(&self.unread[read..]) {
            read += length;
            self.rewrite.apply(&mut command);
            write_command(&command, &mut sent);
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
            .flat_map(|some| connection.take(some))
            .collect();
        assert_eq!(sent, expected);
    }
}
