//! What was recorded, with holes for other people and other competitions. What fills a hole is as long
//! as what was there, so that the lengths in the protocol stay right.

use uuid::Uuid;

use crate::Result;
use crate::stack::resp::parse;

/// Somebody who registers: an id, and the hash of the token of a session, as the store writes them.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) token: String,
}

/// Commands with holes.
pub(super) struct Template {
    bytes: Vec<u8>,
    holes: Vec<(usize, Hole)>,
    commands: usize,
    people: usize,
    /// How long an id of a user, the hash of a token, and an id of a competition are.
    lengths: [usize; 3],
}

/// What goes in, of which one of the people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    Id(usize),
    Token(usize),
    Request(usize),
    Competition,
}

impl Template {
    /// Takes the recorded commands about these people and this competition, but those about `but`. What a
    /// connection says as it opens is about neither.
    pub(super) fn of(
        recorded: &[u8],
        but: &str,
        people: &[Person],
        requests: &[String],
        competition: &str,
    ) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut commands = 0;
        let mut at = 0;
        while at < recorded.len() {
            let (_, length) = parse(&recorded[at..]).ok_or("a recorded command is cut off")?;
            let command = &recorded[at..at + length];
            let names = |text: &str| positions(command, text).next().is_some();
            let is_of_them = names(competition) || people.iter().any(|person| names(&person.id));
            if is_of_them && !names(but) {
                bytes.extend_from_slice(command);
                commands += 1;
            }
            at += length;
        }
        let mut holes = Vec::new();
        for (number, (person, request)) in people.iter().zip(requests).enumerate() {
            for (text, hole) in [
                (&person.id, Hole::Id(number)),
                (&person.token, Hole::Token(number)),
                (request, Hole::Request(number)),
            ] {
                let found = holes.len();
                holes.extend(positions(&bytes, text).map(|at| (at, hole)));
                if holes.len() == found {
                    return Err(format!("the store does not send {hole:?} as it is").into());
                }
            }
        }
        holes.extend(positions(&bytes, competition).map(|at| (at, Hole::Competition)));
        let first = people.first().ok_or("nobody registered")?;
        Ok(Self {
            bytes,
            holes,
            commands,
            people: people.len(),
            lengths: [first.id.len(), first.token.len(), competition.len()],
        })
    }

    /// How many commands it holds.
    pub(super) fn commands(&self) -> usize {
        self.commands
    }

    /// How many people it is about.
    pub(super) fn people(&self) -> usize {
        self.people
    }

    /// Writes the commands for these people, with request ids made of a number.
    pub(super) fn write(
        &self,
        bytes: &mut Vec<u8>,
        people: &[Person],
        number: usize,
        competition: &str,
    ) {
        let begin = bytes.len();
        bytes.extend_from_slice(&self.bytes);
        let mut request = Uuid::encode_buffer();
        for &(at, hole) in &self.holes {
            let text = match hole {
                Hole::Id(person) => &people[person].id,
                Hole::Token(person) => &people[person].token,
                Hole::Competition => competition,
                Hole::Request(person) => {
                    let id = Uuid::from_u64_pair(number as u64, person as u64);
                    id.hyphenated().encode_lower(&mut request)
                }
            };
            bytes[begin + at..][..text.len()].copy_from_slice(text.as_bytes());
        }
    }

    /// Whether these fit the holes.
    pub(super) fn fits(&self, person: &Person, competition: &str) -> bool {
        self.lengths == [person.id.len(), person.token.len(), competition.len()]
    }
}

fn positions(bytes: &[u8], text: &str) -> impl Iterator<Item = usize> {
    let windows = bytes.windows(text.len()).enumerate();
    windows.filter_map(move |(at, window)| (window == text.as_bytes()).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, token: &str) -> Person {
        Person {
            id: id.to_owned(),
            token: token.to_owned(),
        }
    }

    #[test]
    fn the_same_commands_are_written_for_other_people() {
        let request = "11111111-1111-1111-1111-111111111111";
        let recorded = format!(
            "*1\r\n$4\r\nTIME\r\n\
             *3\r\n$3\r\nGET\r\n$4\r\nu:al\r\n$3\r\ntok\r\n*2\r\n$4\r\nSKIP\r\n$4\r\nu:xx\r\n\
             *3\r\n$4\r\nEVAL\r\n$5\r\nc:cup\r\n${}\r\nal {request}\r\n",
            request.len() + 3
        );
        let requests = [request.to_owned()];
        let people = [person("al", "tok")];
        let template = Template::of(recorded.as_bytes(), "xx", &people, &requests, "cup");
        let template = template.expect("whole commands");
        assert_eq!((template.commands(), template.people()), (2, 1));

        let others = [person("bo", "key")];
        assert!(template.fits(&others[0], "run"));
        assert!(!template.fits(&person("bob", "key"), "run"));
        let mut bytes = Vec::new();
        template.write(&mut bytes, &others, 7, "run");
        let expected = "*3\r\n$3\r\nGET\r\n$4\r\nu:bo\r\n$3\r\nkey\r\n\
            *3\r\n$4\r\nEVAL\r\n$5\r\nc:run\r\n$39\r\nbo 00000000-0000-0007-0000-000000000000\r\n";
        assert_eq!(String::from_utf8(bytes).expect("text"), expected);
    }

    #[test]
    fn what_cannot_be_replaced_is_noticed() {
        let people = [person("al", "tok")];
        let requests = ["11111111-1111-1111-1111-111111111111".to_owned()];
        let recorded = b"*2\r\n$3\r\nGET\r\n$2\r\nal\r\n";
        assert!(Template::of(recorded, "xx", &people, &requests, "cup").is_err());
        assert!(Template::of(&recorded[..10], "xx", &people, &requests, "cup").is_err());
    }
}
