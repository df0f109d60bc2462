//! How things are stored: one codec for each, which parses and prints.
//!
//! The Lua scripts read and write the same formats. The comment at the head of each script's prelude
//! and the codec here state the format of a record; nothing else does.

mod fields;

pub use fields::Fields;
