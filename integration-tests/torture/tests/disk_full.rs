//! The disk of Redis becomes full under load. Left out where this user may not mount a disk.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::time::Duration;

use testkit::eventually;
use tokio::task::block_in_place;
use tokio::time::sleep;
use torture::checker::check;
use torture::disk::SmallDisk;
use torture::load::{Load, Plan};
use torture::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_redis_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let Some(disk) = SmallDisk::mount(folder.path(), 2_000) else {
        println!("left out: this user may not mount a disk");
        return;
    };
    // Declared after the disk, and so dropped before it.
    let mut world = World::with_data(folder).await;
    let load = Load::start(&world, Plan::heavy(4)).await;
    eventually("the disk is full", async || !world.redis.is_running()).await;
    // The disk stays full for a moment.
    sleep(Duration::from_millis(500)).await;
    disk.grow(1 << 20);
    block_in_place(|| world.redis.restart()).expect("Redis restarts");
    let before = load.completed();
    eventually("the load continues", async || {
        load.completed() > before + 1_000
    })
    .await;
    println!("{before} operations until the disk was full");
    let (history, competitions) = load.finish(&world).await;
    assert_eq!(check(&history, &world.logs(&competitions).await), []);
    assert_eq!(world.findings().await, Vec::<String>::new());
}
