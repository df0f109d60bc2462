//! The power goes while clients register. Left out where there is no `strace`.
//!
//! With `appendfsync everysec` it has to be seen that something is lost: that is among the `mutants`.

use torture::power::{cut_while_registering, is_possible};

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    if !is_possible() {
        println!("left out: there is no strace");
        return;
    }
    let after = cut_while_registering(&[], 3).await;
    let (lost, operations) = (after.lost, after.operations);
    println!("{operations} operations; 3 power cuts cost {lost} bytes of the file");
    assert!(operations > 300, "{operations} operations are too few");
    assert_eq!(after.found, Vec::<String>::new());
}
