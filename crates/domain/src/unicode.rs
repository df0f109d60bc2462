//! Properties of characters and equality of texts, by the tables of the Unicode Standard.

use std::borrow::Cow;
use std::fmt;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// A code point in an error: `U+202E`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePoint(pub char);

impl fmt::Display for CodePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

/// How many times longer than its NFC a text in UTF-8 can be (UAX #15, table 8).
const MAX_NFC_FACTOR: usize = 3;
const MAX_BYTES_PER_CHARACTER: usize = 4;

/// Whether a text has more than this many characters in NFC, by its size alone: a cheap first check
/// that bounds the work of normalisation.
pub(crate) fn is_surely_longer(text: &str, characters: usize) -> bool {
    text.len() > characters * MAX_BYTES_PER_CHARACTER * MAX_NFC_FACTOR
}

/// Normalisation Form C, in which texts are stored and compared.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Normalisation Form D.
pub(crate) fn nfd(text: &str) -> Cow<'_, str> {
    DecomposingNormalizerBorrowed::new_nfd().normalize(text)
}

/// The form in which texts that differ only in case are equal: a canonical caseless match (Unicode
/// Standard, D145), in NFC.
pub(crate) fn fold(text: &str) -> String {
    let folded = CaseMapper::new().fold_string(&nfd(text)).into_owned();
    nfc(&folded).into_owned()
}

pub(crate) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

pub(crate) fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

/// Whether the character shows nothing by default: joiners, fillers, variation selectors, tags.
pub(crate) fn is_default_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Characters whose glyph is blank by definition: the empty Braille cell, the null notehead, and
/// two Egyptian blanks. No property of the standard names them.
const BLANK: [char; 4] = ['\u{2800}', '\u{1D159}', '\u{13441}', '\u{13442}'];

const VISIBLE: GeneralCategoryGroup = GeneralCategoryGroup::Letter
    .union(GeneralCategoryGroup::Number)
    .union(GeneralCategoryGroup::Punctuation)
    .union(GeneralCategoryGroup::Symbol);

/// Whether a text has a character that everybody can see. A mark needs one, and what a private or
/// an unassigned character shows depends on the font.
pub(crate) fn has_visible(text: &str) -> bool {
    let is_visible = |c: char| {
        VISIBLE.contains(category(c))
            && !is_default_ignorable(c)
            && !CodePointSetData::new::<WhiteSpace>().contains(c)
            && !BLANK.contains(&c)
    };
    text.chars().any(is_visible)
}
