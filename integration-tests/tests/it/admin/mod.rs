//! admin-service, an RPC a file.

mod add_registration;
mod cancel_competition;
mod create_admin;
mod create_competition;
mod delete_competition;
mod disable_admin;
mod get_competition;
mod get_me;
mod get_registration;
mod get_user;
mod list_admins;
mod list_audit_entries;
mod list_competitions;
mod list_registrations;
mod list_users;
mod publish_competition;
mod remove_registration;
mod sign_in;
mod sign_out;
mod update_competition;
