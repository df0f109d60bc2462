//! A registration as organisers see it, in the responses of four RPCs.

use api::admin::RegistrationEntry;
use store::registrations::OrganiserRegistration;

pub(crate) fn to_message(entry: OrganiserRegistration) -> RegistrationEntry {
    RegistrationEntry::new(entry.registration, entry.user, entry.added_by)
}
