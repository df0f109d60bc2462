//! The twelve rules of the README, on every path that each of them applies to.

mod capacity;
mod leaving;
mod lifecycle;
mod log;
mod order;
mod preview;
mod queue;
mod requests;
mod window;

use domain::AddOptions;

pub(super) const OVER_CAPACITY: AddOptions = AddOptions {
    ignore_window: false,
    over_capacity: true,
};

pub(super) const PAST_EVERY_LIMIT: AddOptions = AddOptions {
    ignore_window: true,
    over_capacity: true,
};

pub(super) const IGNORE_WINDOW: AddOptions = AddOptions {
    ignore_window: true,
    over_capacity: false,
};
