//! The disk of Redis is full while clients register. Left out where this user may not mount one.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::time::Duration;

use integration_tests::eventually;
use tokio::task::block_in_place;
use tokio::time::sleep;
use torture::checker::check;
use torture::clients::{Load, Plan};
use torture::disk::SmallDisk;
use torture::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_redis_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(folder.path(), 2_000) else {
        println!("left out: this user may not mount a disk");
        return;
    };
    // Ends before the disk is taken away.
    let mut world = World::on(folder, &[], None).await;
    let load = Load::begin(&world, Plan::heavy(4)).await;
    eventually("the disk is full", async || !world.redis.is_running()).await;
    // Nobody can help for a moment.
    sleep(Duration::from_millis(500)).await;
    disk.grow(1 << 20);
    block_in_place(|| world.redis.restart()).expect("Redis starts again");
    let before = load.done();
    eventually("it goes on", async || load.done() > before + 1_000).await;
    println!("{before} operations until the disk was full");
    let (history, competitions) = load.end(&world).await;
    assert_eq!(check(&history, &world.logs(&competitions).await), []);
    assert_eq!(world.findings().await, Vec::<String>::new());
}
