//! The rules for addresses of releases up to 0.1.0, which older accounts were created with.
//! They compared addresses in lower case, without normalising them.

use std::collections::BTreeSet;

use email_address::{EmailAddress, Options};

use super::Email;
use super::parts::domain_to_unicode;
use crate::unicode::{nfc, nfd};

const MAX_BYTES: usize = 254;

pub(super) fn is_accepted(text: &str) -> bool {
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    text.len() <= MAX_BYTES
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && EmailAddress::parse_with_options(text, options).is_ok()
}

pub(super) fn canonical(text: &str) -> String {
    text.to_lowercase()
}

/// Every former form that can be found from one spelling: each normal form and each lower case of
/// the part before the `@`, with each spelling of the domain.
pub(super) fn canonicals(email: &Email) -> Vec<String> {
    let canonical_form = email.canonical();
    let mut seen = BTreeSet::from([canonical_form.clone()]);
    let mut forms = Vec::new();
    for spelling in spellings(&email.0, &canonical_form) {
        let form = canonical(&spelling);
        if is_accepted(&spelling) && seen.insert(form.clone()) {
            forms.push(form);
        }
    }
    forms
}

fn spellings(written: &str, canonical: &str) -> Vec<String> {
    let mut spellings = vec![written.to_owned()];
    let (Some((local, domain)), Some((_, ascii))) =
        (written.rsplit_once('@'), canonical.rsplit_once('@'))
    else {
        return spellings;
    };
    let readable = domain_to_unicode(ascii);
    // In upper case too, since the lower case of a sigma depends on its place in the word.
    let locals = [nfc(local), nfd(local), local.to_uppercase().into()];
    for domain in [ascii, domain, &readable, &nfd(&readable)] {
        let joined = locals.iter().map(|local| [local, "@", domain].concat());
        spellings.extend(joined);
    }
    spellings
}
