//! What takes several steps in several slots. Each workflow states in which order it writes, and
//! what a call leaves behind that is cut off in between. Only the workflows know components of two
//! slots.

mod add_registration;
mod create_account;
mod create_admin;
mod disable_admin;
mod edit_competition;
mod erase_user;
mod organiser_registrations;
mod own_registrations;
mod register;
mod sign_up;
mod update_competition;
mod withdraw_all;

pub(crate) use add_registration::AddRegistration;
pub(crate) use create_account::AccountCreation;
pub(crate) use create_admin::AdminCreation;
pub(crate) use disable_admin::disable_admin;
pub(crate) use edit_competition::CompetitionEditor;
pub(crate) use erase_user::AccountErasure;
pub(crate) use organiser_registrations::OrganiserRegistrations;
pub(crate) use own_registrations::list_own_registrations;
pub(crate) use register::Registering;
pub(crate) use sign_up::SignUp;
pub(crate) use update_competition::RequestedUpdate;
pub(crate) use withdraw_all::WithdrawAll;
