//! The binary. Its steps are those of [`server::ServiceProgram::run`].

use admin_service::Settings;
use server::exit::{self, exit_with};
use server::{Allocator, parse_or_exit};
use store::AdminStore;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    let settings: Settings = parse_or_exit();
    let first_owner = settings.first_owner().unwrap_or_else(|error| {
        let sentence = format!("--owner-password-file (STARTLIST_OWNER_PASSWORD_FILE): {error}");
        exit_with("admin-service", sentence, exit::USAGE)
    });
    settings
        .program()
        .run(|listener, redis, settings, shutdown| {
            let store = AdminStore::new(redis);
            admin_service::serve(listener, store, first_owner, settings, shutdown)
        });
}
