//! The power is cut under load. Left out where `strace` is missing. The `mutants` show that the
//! same test finds the loss with `appendfsync everysec`.

use torture::power::{cut_under_load, is_possible};

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    if !is_possible() {
        println!("left out: strace is missing");
        return;
    }
    let report = cut_under_load(&[], 3).await;
    let (lost_bytes, operations) = (report.lost_bytes, report.operations);
    println!("{operations} operations; 3 power cuts lost {lost_bytes} bytes of the file");
    assert!(operations > 300, "too few operations: {operations}");
    assert_eq!(report.problems, Vec::<String>::new());
}
