//! Exit codes of the binaries, after sysexits.h, and the way they end with an error.

use std::fmt;
use std::process;

/// `EX_USAGE`: a setting cannot be used.
pub const USAGE: u8 = 64;
/// `EX_UNAVAILABLE`: Redis cannot be reached.
pub const UNAVAILABLE: u8 = 69;
/// `EX_SOFTWARE`: a bug.
pub const SOFTWARE: u8 = 70;
/// `EX_OSERR`: the operating system refused a request.
pub const OS_ERROR: u8 = 71;
/// `EX_NOPERM`: Redis refuses the user.
pub const NO_PERMISSION: u8 = 77;

/// The exit code for an error of the store.
#[must_use]
pub fn code_of(error: &store::Error) -> u8 {
    match error {
        store::Error::Unavailable(_) | store::Error::Full(_) => UNAVAILABLE,
        store::Error::LoginRefused(_) | store::Error::PermissionDenied(_) => NO_PERMISSION,
        _ => SOFTWARE,
    }
}

/// Prints one sentence on stderr and ends the process.
pub fn exit_with(program: &str, sentence: impl fmt::Display, code: u8) -> ! {
    eprintln!("{program}: {sentence}");
    process::exit(code.into())
}
