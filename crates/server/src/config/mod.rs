//! The settings: a flag for each, and an environment variable.
//!
//! - `settings`: the settings that both services share.
//! - `redis_url`, `password_file`, `duration`: the values of settings.
//! - `command_line`: reads flags and variables. An invalid value ends the process with exit code 64
//!   and one sentence that names the flag and the variable.

mod command_line;
mod duration;
mod password_file;
mod redis_url;
mod settings;

pub use command_line::parse_or_exit;
pub use duration::{InvalidDuration, duration};
pub use password_file::{PasswordFile, RedisPassword, UnreadableFile, UnusablePassword};
pub use redis_url::{InvalidRedisUrl, RedisUrl};
pub use settings::{InvalidCount, RunSettings, ServiceSettings, count};
