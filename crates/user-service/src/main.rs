//! The binary. Its steps are those of [`server::ServiceProgram::run`].

use server::{Allocator, parse_or_exit};
use store::UserStore;
use user_service::Settings;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    let settings: Settings = parse_or_exit();
    settings
        .program()
        .run(|listener, redis, settings, shutdown| {
            user_service::serve(listener, UserStore::new(redis), settings, shutdown)
        });
}
