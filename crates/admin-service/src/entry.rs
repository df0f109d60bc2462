//! What an organiser sees of a registration: the answer of four RPCs.

use api::admin::RegistrationEntry;
use store::registrations::Entry;

pub(crate) fn shown(entry: Entry) -> RegistrationEntry {
    RegistrationEntry::new(entry.registration, entry.user, entry.added_by)
}
