//! Which characters a text may hold.

use icu_properties::props::{BidiClass, Block, GeneralCategory, NoncharacterCodePoint};
use icu_properties::{CodePointMapData, CodePointSetData};
use thiserror::Error;

use crate::unicode::{self, CodePoint};

/// The text is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotText {
    #[error("must be {min} to {max} characters")]
    Length { min: usize, max: usize },
    #[error("must not hold the control character {0}")]
    Control(CodePoint),
    #[error("must be one line, without {0}")]
    LineBreak(CodePoint),
    /// The character makes a line read otherwise than it is written.
    #[error("must not hold {0}, which controls the direction of text")]
    Direction(CodePoint),
    /// In a text with lines: the character has no counterpart in its line, so that it would change
    /// what follows, also outside of the text.
    #[error("must hold {0}, which controls the direction of text, in pairs within a line only")]
    UnpairedDirection(CodePoint),
    /// Tags are invisible, so that they can hide a second text.
    #[error("must not hold the tag character {0} outside of a flag")]
    Tag(CodePoint),
    #[error("must not hold {0}, which is not a character")]
    Noncharacter(CodePoint),
    #[error("must not hold {0} after {MAX_STACKED} combining or invisible characters in a row")]
    Stacked(CodePoint),
    #[error("must hold a visible character")]
    Invisible,
}

/// The most characters in a row that take no space of their own: the limit of the Stream-Safe Text
/// Format (UAX #15, section 13), which no language needs.
const MAX_STACKED: usize = 30;

/// The black flag, which tags turn into the flag of a region, such as Scotland.
const TAGGED_FLAG: char = '\u{1F3F4}';

/// Checks a text of one line, or with `lines` of many.
pub(super) fn check_characters(text: &str, lines: bool) -> Result<(), NotText> {
    let mut before = None;
    let mut stacked = 0;
    for c in text.chars() {
        check_character(c, lines)?;
        let is_tagged = before.is_some_and(|before| before == TAGGED_FLAG || is_tag(before));
        if is_tag(c) && !is_tagged {
            return Err(NotText::Tag(CodePoint(c)));
        }
        let takes_space = !unicode::is_mark(c) && !unicode::is_default_ignorable(c);
        stacked = if takes_space { 0 } else { stacked + 1 };
        if stacked > MAX_STACKED {
            return Err(NotText::Stacked(CodePoint(c)));
        }
        before = Some(c);
    }
    if lines { check_pairs(text) } else { Ok(()) }
}

fn check_character(c: char, lines: bool) -> Result<(), NotText> {
    let is_layout = lines && matches!(c, '\n' | '\r' | '\t');
    match unicode::category(c) {
        GeneralCategory::Control if !is_layout => Err(NotText::Control(CodePoint(c))),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator if !lines => {
            Err(NotText::LineBreak(CodePoint(c)))
        }
        _ if !lines && Direction::of(c).is_some() => Err(NotText::Direction(CodePoint(c))),
        _ if CodePointSetData::new::<NoncharacterCodePoint>().contains(c) => {
            Err(NotText::Noncharacter(CodePoint(c)))
        }
        _ => Ok(()),
    }
}

fn is_tag(c: char) -> bool {
    CodePointMapData::<Block>::new().get(c) == Block::Tags
}

/// A character that begins or ends a part with another direction. The marks, such as U+200F, are
/// none: they act like a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// An embedding or an override.
    Embed,
    EndEmbed,
    Isolate,
    EndIsolate,
}

impl Direction {
    fn of(c: char) -> Option<Self> {
        match bidi_class(c) {
            BidiClass::LeftToRightEmbedding
            | BidiClass::RightToLeftEmbedding
            | BidiClass::LeftToRightOverride
            | BidiClass::RightToLeftOverride => Some(Self::Embed),
            BidiClass::PopDirectionalFormat => Some(Self::EndEmbed),
            BidiClass::LeftToRightIsolate
            | BidiClass::RightToLeftIsolate
            | BidiClass::FirstStrongIsolate => Some(Self::Isolate),
            BidiClass::PopDirectionalIsolate => Some(Self::EndIsolate),
            _ => None,
        }
    }
}

fn bidi_class(c: char) -> BidiClass {
    CodePointMapData::<BidiClass>::new().get(c)
}

/// Checks that each part with another direction ends in its line, and within the part around it.
fn check_pairs(text: &str) -> Result<(), NotText> {
    let mut open: Vec<(char, Direction)> = Vec::new();
    for c in text.chars() {
        let ends = match Direction::of(c) {
            Some(begin @ (Direction::Embed | Direction::Isolate)) => {
                open.push((c, begin));
                continue;
            }
            Some(Direction::EndEmbed) => Direction::Embed,
            Some(Direction::EndIsolate) => Direction::Isolate,
            None if bidi_class(c) == BidiClass::ParagraphSeparator => {
                check_closed(&open)?;
                continue;
            }
            None => continue,
        };
        if open.pop().is_none_or(|(_, begun)| begun != ends) {
            return Err(NotText::UnpairedDirection(CodePoint(c)));
        }
    }
    check_closed(&open)
}

fn check_closed(open: &[(char, Direction)]) -> Result<(), NotText> {
    match open.last() {
        None => Ok(()),
        Some((c, _)) => Err(NotText::UnpairedDirection(CodePoint(*c))),
    }
}
