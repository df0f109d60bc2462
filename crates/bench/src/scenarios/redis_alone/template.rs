//! Recorded commands in which the users, their request ids and the competition can be replaced.
//!
//! A replacement has the length of the original, so that the lengths in the protocol stay right.

use testkit::redis_client::ValueCodec;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;
use uuid::Uuid;

use crate::result::Result;

/// The texts by which a user occurs in commands.
pub(super) struct UserTexts {
    pub(super) id: String,
    pub(super) token_hash: String,
}

pub(super) struct Template {
    bytes: Vec<u8>,
    placeholders: Vec<Placeholder>,
    commands: usize,
    users: usize,
}

struct Placeholder {
    position: usize,
    length: usize,
    content: Content,
}

/// Users are meant by their position in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Id(usize),
    TokenHash(usize),
    RequestId(usize),
    Competition,
}

impl Template {
    /// Takes the recorded commands that mention the competition or one of the users, without those that
    /// mention an excluded text. What a connection sends when it opens mentions none of them.
    pub(super) fn new(
        recorded: &[u8],
        users: &[UserTexts],
        request_ids: &[String],
        competition: &str,
        excluded: &[String],
    ) -> Result<Self> {
        let mut template = Self {
            bytes: Vec::new(),
            placeholders: Vec::new(),
            commands: 0,
            users: users.len(),
        };
        let mut rest = BytesMut::from(recorded);
        let mut codec = ValueCodec::default();
        while !rest.is_empty() {
            let start = recorded.len() - rest.len();
            codec
                .decode(&mut rest)?
                .ok_or("a recorded command is incomplete")?;
            let command = &recorded[start..recorded.len() - rest.len()];
            let mentions = |text: &str| positions(command, text).next().is_some();
            let is_part = mentions(competition) || users.iter().any(|user| mentions(&user.id));
            if is_part && !excluded.iter().any(|text| mentions(text)) {
                template.bytes.extend_from_slice(command);
                template.commands += 1;
            }
        }
        for (number, (user, request_id)) in users.iter().zip(request_ids).enumerate() {
            template.add_placeholders(&user.id, Content::Id(number))?;
            template.add_placeholders(&user.token_hash, Content::TokenHash(number))?;
            template.add_placeholders(request_id, Content::RequestId(number))?;
        }
        template.add_placeholders(competition, Content::Competition)?;
        Ok(template)
    }

    fn add_placeholders(&mut self, text: &str, content: Content) -> Result<()> {
        let before = self.placeholders.len();
        let placeholders = positions(&self.bytes, text).map(|position| Placeholder {
            position,
            length: text.len(),
            content,
        });
        self.placeholders.extend(placeholders);
        if self.placeholders.len() == before {
            return Err(format!("the recorded batch does not contain {content:?}").into());
        }
        Ok(())
    }

    /// The number of commands in a batch.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// The number of users in a batch.
    pub(super) fn users(&self) -> usize {
        self.users
    }

    /// Appends the commands for these users. Request ids are made from `number`. Panics if a text has
    /// another length than the recorded one.
    pub(super) fn write(
        &self,
        bytes: &mut Vec<u8>,
        users: &[UserTexts],
        number: usize,
        competition: &str,
    ) {
        let start = bytes.len();
        bytes.extend_from_slice(&self.bytes);
        let mut buffer = Uuid::encode_buffer();
        for placeholder in &self.placeholders {
            let text = match placeholder.content {
                Content::Id(user) => &users[user].id,
                Content::TokenHash(user) => &users[user].token_hash,
                Content::Competition => competition,
                Content::RequestId(user) => {
                    let id = Uuid::from_u64_pair(number as u64, user as u64);
                    id.hyphenated().encode_lower(&mut buffer)
                }
            };
            let replaced = &mut bytes[start + placeholder.position..][..placeholder.length];
            replaced.copy_from_slice(text.as_bytes());
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

    const REQUEST_ID: &str = "11111111-1111-1111-1111-111111111111";

    fn template(recorded: &[u8]) -> Result<Template> {
        let users = [user("al", "tok")];
        Template::new(
            recorded,
            &users,
            &[REQUEST_ID.to_owned()],
            "cup",
            &["xx".to_owned()],
        )
    }

    fn user(id: &str, token_hash: &str) -> UserTexts {
        UserTexts {
            id: id.to_owned(),
            token_hash: token_hash.to_owned(),
        }
    }

    #[test]
    fn the_recorded_commands_are_written_for_another_user() {
        let recorded = format!(
            "*1\r\n$4\r\nTIME\r\n\
             *3\r\n$3\r\nGET\r\n$4\r\nu:al\r\n$3\r\ntok\r\n*2\r\n$4\r\nSKIP\r\n$4\r\nu:xx\r\n\
             *3\r\n$4\r\nEVAL\r\n$5\r\nc:cup\r\n$39\r\nal {REQUEST_ID}\r\n"
        );
        let template = template(recorded.as_bytes()).expect("complete commands");
        assert_eq!((template.commands(), template.users()), (2, 1));

        let mut bytes = Vec::new();
        template.write(&mut bytes, &[user("bo", "key")], 7, "run");
        let expected = "*3\r\n$3\r\nGET\r\n$4\r\nu:bo\r\n$3\r\nkey\r\n\
            *3\r\n$4\r\nEVAL\r\n$5\r\nc:run\r\n$39\r\nbo 00000000-0000-0007-0000-000000000000\r\n";
        assert_eq!(String::from_utf8(bytes).expect("text"), expected);
    }

    #[test]
    fn a_recording_without_a_text_or_with_an_incomplete_command_is_refused() {
        let recorded = b"*2\r\n$3\r\nGET\r\n$2\r\nal\r\n";
        assert!(template(recorded).is_err());
        assert!(template(&recorded[..10]).is_err());
    }
}
