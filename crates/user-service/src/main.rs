//! The binary. Its steps are those of [`server::ServiceProgram::run`].

use server::{Allocator, parse_or_exit};
use store::UserStore;
use user_service::Settings;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    let settings: Settings = parse_or_exit();
    let sign_ups = settings.sign_up_limit();
    settings
        .program()
        .run(|listener, redis, settings, shutdown| {
            let store = UserStore::new(redis);
            user_service::serve(listener, store, sign_ups, settings, shutdown)
        });
}
