//! Recorded commands in which texts can be replaced.

use testkit::redis_client::ValueCodec;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::result::Result;

pub(super) struct Template {
    bytes: Vec<u8>,
    commands: usize,
    /// Where a text occurs: the position in `bytes` and the index of the text.
    occurrences: Vec<(usize, usize)>,
}

impl Template {
    /// Takes the recorded commands that contain one of the texts, without those that contain an
    /// excluded text. What a connection sends when it opens contains none of them.
    pub(super) fn new(recorded: &[u8], texts: &[String], excluded: &[String]) -> Result<Self> {
        let (mut bytes, mut commands) = (Vec::new(), 0);
        let mut rest = BytesMut::from(recorded);
        let mut codec = ValueCodec::default();
        while !rest.is_empty() {
            let start = recorded.len() - rest.len();
            let command = codec.decode(&mut rest)?;
            command.ok_or("a recorded command is incomplete")?;
            let command = &recorded[start..recorded.len() - rest.len()];
            let contains = |text: &String| positions(command, text).next().is_some();
            if texts.iter().any(contains) && !excluded.iter().any(contains) {
                bytes.extend_from_slice(command);
                commands += 1;
            }
        }
        let mut occurrences = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let before = occurrences.len();
            occurrences.extend(positions(&bytes, text).map(|position| (position, index)));
            if occurrences.len() == before {
                return Err(format!("the recorded commands do not contain {text}").into());
            }
        }
        Ok(Self {
            bytes,
            commands,
            occurrences,
        })
    }

    /// The number of commands.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// Appends the commands with other texts in the same order. Each must have the length of the
    /// recorded one, which the commands contain too.
    pub(super) fn write(&self, texts: &[String], bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&self.bytes);
        for &(position, index) in &self.occurrences {
            let text = texts[index].as_bytes();
            bytes[start + position..][..text.len()].copy_from_slice(text);
        }
    }
}

fn positions(bytes: &[u8], text: &str) -> impl Iterator<Item = usize> {
    let windows = bytes.windows(text.len()).enumerate();
    windows.filter_map(move |(position, window)| (window == text.as_bytes()).then_some(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(recorded: &[u8]) -> Result<Template> {
        let texts = ["al", "cup"].map(str::to_owned);
        Template::new(recorded, &texts, &["xx".to_owned()])
    }

    #[test]
    fn the_recorded_commands_are_written_with_other_texts() {
        let recorded = b"*1\r\n$4\r\nTIME\r\n*2\r\n$3\r\nGET\r\n$4\r\nu:al\r\n\
            *3\r\n$4\r\nSKIP\r\n$4\r\nu:xx\r\n$3\r\ncup\r\n\
            *3\r\n$4\r\nEVAL\r\n$5\r\nc:cup\r\n$2\r\nal\r\n";
        let template = template(recorded).expect("complete commands");
        assert_eq!(template.commands(), 2);

        let mut bytes = Vec::new();
        template.write(&["bo", "run"].map(str::to_owned), &mut bytes);
        let expected = "*2\r\n$3\r\nGET\r\n$4\r\nu:bo\r\n\
            *3\r\n$4\r\nEVAL\r\n$5\r\nc:run\r\n$2\r\nbo\r\n";
        assert_eq!(String::from_utf8(bytes).expect("text"), expected);
    }

    #[test]
    fn a_missing_text_and_an_incomplete_command_are_errors() {
        let recorded = b"*2\r\n$3\r\nGET\r\n$2\r\nal\r\n";
        assert!(template(recorded).is_err());
        assert!(template(&recorded[..10]).is_err());
    }
}
