//! The binary. Its steps are those of [`server::ServiceProgram::run`].

use admin_service::Settings;
use server::{Allocator, parse_or_exit};
use store::AdminStore;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    let settings: Settings = parse_or_exit();
    let first_owner = settings.first_owner();
    settings
        .program()
        .run(|listener, redis, settings, shutdown| {
            let store = AdminStore::new(redis);
            admin_service::serve(listener, store, first_owner, settings, shutdown)
        });
}
