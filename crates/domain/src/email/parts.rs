//! The two parts of an address in canonical form.

use std::borrow::Cow;

use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::NotAnEmail;
use crate::unicode::{self, CodePoint};

/// RFC 5321, errata 1690.
const MAX_BYTES: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;

/// An address in canonical form.
pub(super) struct Parts {
    /// Before the `@`.
    local: String,
    /// The domain in ASCII.
    domain: String,
}

impl Parts {
    /// Fails if there is no `@`, or the domain has no form in ASCII.
    pub(super) fn of(text: &str) -> Result<Self, NotAnEmail> {
        if unicode::is_surely_longer(text, MAX_BYTES) {
            return Err(NotAnEmail::Form);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnEmail::Form)?;
        Ok(Self {
            local: unicode::fold(local),
            domain: domain_to_ascii(domain).ok_or(NotAnEmail::Domain)?,
        })
    }

    pub(super) fn canonical(&self) -> String {
        [&self.local, "@", &self.domain].concat()
    }

    pub(super) fn check(&self) -> Result<(), NotAnEmail> {
        self.check_local()?;
        let (_, top) = self.domain.rsplit_once('.').ok_or(NotAnEmail::Domain)?;
        // No top-level domain begins with a digit. This also refuses addresses of hosts, such as
        // 127.0.0.1 or 127.0.0.0x1.
        if !top.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(NotAnEmail::TopLevelDomain);
        }
        if self.canonical().len() > MAX_BYTES {
            return Err(NotAnEmail::Form);
        }
        Ok(())
    }

    /// Accepts a dot-atom (RFC 5322) of letters of any script (RFC 6532). A quoted part is refused:
    /// it would be a second way to write the same mailbox, which RFC 5321 advises against.
    fn check_local(&self) -> Result<(), NotAnEmail> {
        let atoms = || self.local.split('.');
        let is_bad_start = |atom: &str| atom.chars().next().is_none_or(unicode::is_mark);
        if self.local.len() > MAX_LOCAL_BYTES || atoms().any(is_bad_start) {
            return Err(NotAnEmail::Form);
        }
        match atoms().flat_map(str::chars).find(|c| !is_atext(*c)) {
            None => Ok(()),
            Some(c) => Err(NotAnEmail::Character(CodePoint(c))),
        }
    }
}

fn is_atext(c: char) -> bool {
    const OF_ANY_SCRIPT: GeneralCategoryGroup = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategoryGroup::DecimalNumber);
    let category: GeneralCategory = unicode::category(c);
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (OF_ANY_SCRIPT.contains(category) && !unicode::is_default_ignorable(c))
}

/// Converts a domain as browsers do, by UTS #46 without transitional mappings, and with the limits
/// of the DNS: letters, digits and inner hyphens, 63 bytes in a label, 253 in all.
fn domain_to_ascii(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(Cow::into_owned)
}

/// Converts a domain in ASCII to the form that people read.
pub(super) fn domain_to_unicode(domain: &str) -> String {
    let hyphens = Hyphens::CheckFirstLast;
    let (unicode, _) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, hyphens);
    unicode.into_owned()
}
