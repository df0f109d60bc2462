use super::*;
use crate::unicode::CodePoint;

/// Names of people and of competitions in many scripts, each in NFC.
const WRITTEN: [&str; 16] = [
    "Züri Cup",
    "كأس الربيع",
    "🏆🥇",
    "l'Été à Genève",
    "علی\u{200C}رضا",              // Persian: a non-joiner.
    "ක\u{0DCA}\u{200D}ෂය",         // Sinhala: a joiner in a conjunct.
    "👩\u{200D}👩\u{200D}👧 Race", // An emoji of joined persons.
    "❤\u{FE0F} Run",
    "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", // The flag of Scotland.
    "דו\u{200F}\"ח",                                            // Hebrew with a mark of direction.
    "ไท\u{200B}ย",                                              // Thai: a place to break the line.
    "ẹ\u{301}",                                                 // Yoruba: no single code point.
    "⠠⠓⠊",
    "王",
    "-",
    "ﷺ",
];

#[test]
fn a_text_in_nfc_is_kept_as_it_was_written() {
    for text in WRITTEN {
        let title = Title::parse(text).expect(text);
        assert_eq!(title.as_str(), text);
        assert_eq!(Description::parse(text).expect(text).as_str(), text);
    }
}

#[test]
fn a_text_is_stored_in_nfc_and_its_characters_are_counted_there() {
    let name = DisplayName::parse("Jose\u{301}").expect("a name");
    assert_eq!(name.as_str(), "José");
    assert!(DisplayName::parse("e\u{301}".repeat(80)).is_ok());
    // Hangul in three parts each: 9 bytes for a syllable of 3.
    let syllables = "\u{1112}\u{1161}\u{11AB}".repeat(80);
    assert_eq!(
        DisplayName::parse(syllables).expect("a name").as_str(),
        "한".repeat(80)
    );
    // This character is longer in NFC.
    assert!(Title::parse("\u{0958}".repeat(60)).is_ok());
    assert!(Title::parse("\u{0958}".repeat(61)).is_err());
}

#[test]
fn limits_count_characters_not_bytes() {
    assert!(Title::parse("🏆".repeat(120)).is_ok());
    for long in ["x".repeat(121), "x".repeat(100_000)] {
        assert_eq!(
            Title::parse(long),
            Err(NotText::Length { min: 1, max: 120 })
        );
    }
}

#[test]
fn one_line_is_empty_or_visible() {
    let invisible = [
        " ",
        "\u{A0}\u{3000}",
        "\u{200B}",
        "\u{2800}",
        "\u{115F}\u{1160}\u{3164}\u{FFA0}",
        "\u{AD}",
        "\u{2060}\u{FEFF}",
        "\u{200D}\u{200C}",
        "\u{FE0F}",
        "\u{301}\u{302}",
        "\u{E000}",
        "\u{378}",
        "\u{1D159}",
        "\u{13441}",
    ];
    for text in invisible {
        assert_eq!(Title::parse(text), Err(NotText::Invisible), "{text:?}");
        assert_eq!(Club::parse(text), Err(NotText::Invisible), "{text:?}");
    }
    assert!(Venue::parse("").is_ok() && Description::parse("\n").is_ok());
    // Private and unassigned characters may stand beside visible ones.
    assert!(Title::parse("\u{F8FF} Cup \u{378}").is_ok());
}

#[test]
fn one_line_holds_no_control_character_and_no_separator_of_lines() {
    for c in ['\0', '\t', '\n', '\u{B}', '\u{C}', '\r', '\u{7F}', '\u{85}'] {
        let refused = Reason::parse(format!("a{c}b"));
        assert_eq!(refused, Err(NotText::Control(CodePoint(c))), "{c:?}");
    }
    for c in ['\u{2028}', '\u{2029}'] {
        let refused = Reason::parse(format!("a{c}b"));
        assert_eq!(refused, Err(NotText::LineBreak(CodePoint(c))), "{c:?}");
    }
    assert!(Description::parse("a\r\n\tb\u{2028}c\u{2029}d").is_ok());
    let refused = Description::parse("a\u{B}b");
    assert_eq!(refused, Err(NotText::Control(CodePoint('\u{B}'))));
}

#[test]
fn one_line_does_not_change_the_direction_of_text() {
    for c in ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}') {
        let refused = DisplayName::parse(format!("a{c}b"));
        assert_eq!(refused, Err(NotText::Direction(CodePoint(c))), "{c:?}");
    }
}

#[test]
fn a_description_changes_the_direction_of_text_within_a_line() {
    // A telephone number as a phone copies it, and an isolate in an embedding.
    for paired in [
        "\u{202A}+41 44 000 00 00\u{202C}",
        "\u{202B}a\u{2068}b\u{2069}c\u{202C}\n\u{2067}d\u{2069}",
    ] {
        assert!(Description::parse(paired).is_ok(), "{paired:?}");
    }
    for (unpaired, named) in [
        ("a\u{202E}b", '\u{202E}'),
        ("\u{2067}a\nb\u{2069}", '\u{2067}'),
        ("\u{2067}a\u{2029}b\u{2069}", '\u{2067}'),
        ("a\u{202C}", '\u{202C}'),
        ("\u{202A}a\u{2069}", '\u{2069}'),
    ] {
        let refused = Description::parse(unpaired);
        let expected = NotText::UnpairedDirection(CodePoint(named));
        assert_eq!(refused, Err(expected), "{unpaired:?}");
    }
}

#[test]
fn a_text_hides_no_other_text() {
    let tag = Title::parse("Cup\u{E0041}");
    assert_eq!(tag, Err(NotText::Tag(CodePoint('\u{E0041}'))));
    assert!(Title::parse("🏆\u{E0067}").is_err());
    let stack = |marks| Description::parse(format!("a{}b", "\u{30D}\u{200B}".repeat(marks)));
    assert!(stack(15).is_ok());
    assert_eq!(stack(16), Err(NotText::Stacked(CodePoint('\u{30D}'))));
    for c in ['\u{FFFE}', '\u{FDD0}', '\u{10FFFF}'] {
        let refused = Title::parse(format!("a{c}"));
        assert_eq!(refused, Err(NotText::Noncharacter(CodePoint(c))));
    }
}

#[test]
fn an_error_names_the_rule_and_the_code_point() {
    let sentence = |text: &str| Title::parse(text).expect_err("refused").to_string();
    assert_eq!(
        sentence("a\u{202E}b"),
        "must not hold U+202E, which controls the direction of text"
    );
    assert_eq!(
        sentence("a\u{E0041}"),
        "must not hold the tag character U+E0041 outside of a flag"
    );
}

#[test]
fn a_stored_text_is_read_whatever_the_rules_were_when_it_was_written() {
    for old in ["\u{200B}", "Jose\u{301}", "a\u{202E}b", "\u{2028}"] {
        let read = DisplayName::try_from(old.to_owned()).expect("a stored name");
        assert_eq!(read.as_str(), old);
    }
}
