use super::*;

fn email(text: &str) -> Email {
    Email::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn an_address_is_kept_as_written() {
    for text in ["Ada@Example.org", "jose\u{301}@BÜCHER.example"] {
        assert_eq!(email(text).as_str(), text);
    }
}

#[test]
fn one_mailbox_has_one_canonical_form() {
    let fullwidth = "b@ｂüｃｈｅｒ。ｅｘａｍｐｌｅ";
    for (canonical, spellings) in [
        (
            "ada@example.org",
            &["Ada@Example.ORG", "ADA@example.org"][..],
        ),
        (
            "b@xn--bcher-kva.example",
            &[
                "b@bücher.example",
                "B@BÜCHER.example",
                "b@bu\u{308}cher.example",
                "b@XN--BCHER-KVA.example",
                "b@bücher\u{3002}example",
                fullwidth,
            ],
        ),
        ("οσ@example.org", &["ΟΣ@example.org", "ος@example.org"]),
        (
            "josé@example.org",
            &["jose\u{301}@example.org", "JOSÉ@example.org"],
        ),
        ("strasse@xn--strae-oqa.example", &["Straße@straße.example"]),
        // Two marks, in either order.
        (
            "q\u{323}\u{307}@example.org",
            &["q\u{307}\u{323}@example.org"],
        ),
        // Turkish: a capital I with a dot is not an i.
        ("i\u{307}@example.org", &["\u{130}@example.org"]),
        ("क\u{93C}@example.org", &["\u{958}@example.org"]),
        ("a@xn--ls8h.example", &["a@💩.example"]),
    ] {
        for spelling in spellings {
            assert_eq!(email(spelling).canonical(), canonical, "{spelling}");
            assert_eq!(email(spelling), email(canonical));
        }
    }
    assert_ne!(email("i@example.org"), email("\u{131}@example.org"));
    assert_ne!(email("a@strasse.example"), email("a@straße.example"));
}

#[test]
fn a_text_that_is_not_an_address_is_refused() {
    for (bad, error) in [
        ("", NotAnEmail::Form),
        ("ada", NotAnEmail::Form),
        ("@example.org", NotAnEmail::Form),
        (".ada@example.org", NotAnEmail::Form),
        ("ada.@example.org", NotAnEmail::Form),
        ("\u{301}a@example.org", NotAnEmail::Form),
        ("ada＠example.org", NotAnEmail::Form),
        ("ada@@example.org", NotAnEmail::Character(CodePoint('@'))),
        (
            "Ada <ada@example.org",
            NotAnEmail::Character(CodePoint(' ')),
        ),
        (
            "a\u{200B}da@example.org",
            NotAnEmail::Character(CodePoint('\u{200B}')),
        ),
        (
            "a\u{202E}da@example.org",
            NotAnEmail::Character(CodePoint('\u{202E}')),
        ),
        (
            "a\u{3164}da@example.org",
            NotAnEmail::Character(CodePoint('\u{3164}')),
        ),
        ("\"ada\"@example.org", NotAnEmail::Character(CodePoint('"'))),
        (
            "ada(work)@example.org",
            NotAnEmail::Character(CodePoint('(')),
        ),
        ("🏆@example.org", NotAnEmail::Character(CodePoint('🏆'))),
        ("ada@", NotAnEmail::Domain),
        ("ada@localhost", NotAnEmail::Domain),
        ("ada@example.org\n", NotAnEmail::Domain),
        ("ada@example.org>", NotAnEmail::Domain),
        ("ada@example.org.", NotAnEmail::Domain),
        ("ada@example..org", NotAnEmail::Domain),
        ("ada@-example.org", NotAnEmail::Domain),
        ("ada@ex_ample.org", NotAnEmail::Domain),
        ("ada@[127.0.0.1]", NotAnEmail::Domain),
        ("ada@xn--a.example", NotAnEmail::Domain),
        ("ada@xn--zzzzzzz99999.example", NotAnEmail::Domain),
        ("ada@a\u{202E}b.example", NotAnEmail::Domain),
        ("h@127.0.0.1", NotAnEmail::TopLevelDomain),
        ("h@127.0.0.0x1", NotAnEmail::TopLevelDomain),
        ("h@１２７.０.０.１", NotAnEmail::TopLevelDomain),
        ("h@example.1", NotAnEmail::TopLevelDomain),
    ] {
        assert_eq!(Email::parse(bad), Err(error), "{bad}");
    }
}

#[test]
fn limits_count_bytes_of_the_canonical_form() {
    let local = |local: &str| Email::parse(format!("{local}@example.org")).is_ok();
    assert!(local(&"a".repeat(64)) && !local(&"a".repeat(65)));
    // 3 bytes as written and 2 in canonical form; 2 and 3.
    assert!(local(&"e\u{301}".repeat(32)) && !local(&"e\u{301}".repeat(33)));
    assert!(local(&"\u{149}".repeat(21)) && !local(&"\u{149}".repeat(22)));

    let label = |label: &str| Email::parse(format!("a@{label}.example")).is_ok();
    assert!(label(&"a".repeat(63)) && !label(&"a".repeat(64)));
    assert!(label(&"ａ".repeat(63)) && !label(&"ａ".repeat(64)));
    assert!(!label(&"ü".repeat(63)));

    let domain = |rest: usize| {
        let label = "a".repeat(62);
        Email::parse(format!(
            "abc@{label}.{label}.{label}.{}.org",
            "b".repeat(rest)
        ))
    };
    assert!(domain(57).is_ok());
    assert_eq!(domain(58), Err(NotAnEmail::Form));
    assert!(Email::parse(format!("{}@example.org", "a".repeat(100_000))).is_err());
}

#[test]
fn an_address_that_an_earlier_release_accepted_is_known() {
    for old in [
        "h@127.0.0.1",
        "h@example.1",
        "\"ada\"@example.org",
        "ada@ex_ample.org",
    ] {
        assert!(Email::parse(old).is_err(), "{old}");
        let known = Email::typed(old).expect(old);
        assert_eq!(Email::try_from(old.to_owned()), Ok(known));
    }
    for never in [
        "ada",
        "ada@",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "ada@@example.org",
    ] {
        assert!(Email::typed(never).is_err(), "{never}");
    }
}

#[test]
fn a_former_form_is_found_from_each_spelling() {
    for plain in ["Ada@Example.org", "josé@example.org"] {
        assert_eq!(email(plain).former_canonicals(), [""; 0], "{plain}");
    }
    for (typed, old) in [
        ("b@bücher.example", "b@bücher.example"),
        ("b@xn--bcher-kva.example", "b@bücher.example"),
        ("ΟΣ@example.org", "ος@example.org"),
        ("οσ@example.org", "ος@example.org"),
        ("한@example.org", "\u{1112}\u{1161}\u{11AB}@example.org"),
        ("\"Ada\"@127.0.0.1", "\"ada\"@127.0.0.1"),
    ] {
        let typed = Email::typed(typed).expect(typed);
        let mut known = typed.former_canonicals();
        known.push(typed.canonical());
        assert!(known.contains(&old.to_owned()), "{typed:?}: {known:?}");
    }
    let typed = email("ΟΣ@BÜCHER.example").former_canonicals();
    assert_eq!(typed[0], "ος@bücher.example");
}
