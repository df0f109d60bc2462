//! Numbers. The contract uses signed integers, because not every language has unsigned ones. A
//! number that does not fit becomes the largest one that does.

use domain::Revision;

pub(super) fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_does_not_become_negative() {
        assert_eq!(count(7), 7);
        assert_eq!(count(u32::MAX), i32::MAX);
        assert_eq!(revision(Revision::new(7)), 7);
        assert_eq!(revision(Revision::new(u64::MAX)), i64::MAX);
    }
}
