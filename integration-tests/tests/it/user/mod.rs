//! user-service, an RPC a file.

mod change_password;
mod delete_me;
mod export_me;
mod get_competition;
mod get_me;
mod get_my_registration;
mod list_competitions;
mod list_my_registrations;
mod register;
mod sign_in;
mod sign_out;
mod sign_up;
mod update_me;
mod withdraw;
