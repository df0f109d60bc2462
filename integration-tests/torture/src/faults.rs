//! What breaks, and when: a schedule that a seed repeats.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::sleep;

use crate::proxy::Weather;
use crate::random::Random;
use crate::world::{Service, World};

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// admin-service.
    Admin,
    /// user-service.
    User,
}

/// Something that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; it is started again.
    KillRedis,
    /// SIGSTOP and SIGCONT.
    FreezeRedis,
    /// `maxmemory` is less than what is in use: Redis refuses writes.
    FillMemory,
    /// SIGKILL; it is started again.
    Kill(Which),
    /// SIGSTOP and SIGCONT.
    Freeze(Which),
    /// The clock of a service that runs is set so many hours ahead. It is started again before, to be able to,
    /// and after.
    MoveClock(Which, i8),
    /// The way between a service and Redis.
    RedisLink(Which, Weather),
    /// The way between clients and a service.
    ClientLink(Which, Weather),
}

/// One part of a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Of quiet before it.
    pub after: Duration,
    /// What breaks.
    pub fault: Fault,
    /// How long it stays broken.
    pub lasting: Duration,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (after, lasting) = (self.after.as_millis(), self.lasting.as_millis());
        write!(
            f,
            "{after} ms quiet, then {:?} for {lasting} ms",
            self.fault
        )
    }
}

/// The faults of this seed, without end. All kinds come before one comes again.
pub fn schedule(seed: u64) -> impl Iterator<Item = Event> {
    let mut random = Random::new(seed);
    let mut left = Vec::new();
    std::iter::repeat_with(move || {
        if left.is_empty() {
            left = all();
        }
        let last = left.len() as u64;
        let index = usize::try_from(random.within(0..last)).unwrap_or_default();
        Event {
            after: Duration::from_millis(random.within(500..2_500)),
            fault: left.swap_remove(index),
            lasting: Duration::from_millis(random.within(50..1_500)),
        }
    })
}

/// The library that moves a program's clock (Debian: `libfaketime`), if this machine has it.
#[must_use]
pub fn faketime() -> Option<&'static str> {
    let places = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    ];
    places.into_iter().find(|place| Path::new(place).exists())
}

/// Every kind of fault that this machine can have.
fn all() -> Vec<Fault> {
    let mut all = vec![Fault::KillRedis, Fault::FreezeRedis, Fault::FillMemory];
    let weathers = [
        Weather::AnswersLost,
        Weather::Cut,
        Weather::Dead,
        Weather::Late(Duration::from_millis(40)),
    ];
    for which in [Which::Admin, Which::User] {
        if faketime().is_some() {
            all.extend([Fault::MoveClock(which, 1), Fault::MoveClock(which, -1)]);
        }
        all.extend([Fault::Kill(which), Fault::Freeze(which)]);
        for weather in weathers {
            all.push(Fault::RedisLink(which, weather));
            all.push(Fault::ClientLink(which, weather));
        }
    }
    all
}

impl Event {
    /// Waits, breaks it, waits, and mends it.
    pub async fn happen(self, world: &mut World) {
        sleep(self.after).await;
        match self.fault {
            Fault::KillRedis => {
                world.redis.kill();
                sleep(self.lasting).await;
                tokio::task::block_in_place(|| world.redis.restart()).expect("Redis starts again");
            }
            Fault::FreezeRedis => {
                tokio::task::block_in_place(|| world.redis.freeze()).expect("it stands still");
                sleep(self.lasting).await;
                world.redis.thaw().expect("it goes on");
            }
            Fault::FillMemory => {
                let () = world.root(&["CONFIG", "SET", "maxmemory", "1"]).await;
                sleep(self.lasting).await;
                let () = world.root(&["CONFIG", "SET", "maxmemory", "0"]).await;
            }
            Fault::Kill(which) => {
                let service = world.service(which);
                service.kill().await;
                sleep(self.lasting).await;
                service.run(&[]).await;
            }
            Fault::MoveClock(which, hours) => {
                let library = faketime().expect("it was there when the schedule was made");
                let service = world.service(which);
                service.kill().await;
                service.run_with_clock(library).await;
                sleep(self.lasting).await;
                service.move_clock(hours).await;
                sleep(self.lasting).await;
                service.kill().await;
                service.run(&[]).await;
            }
            Fault::Freeze(which) => {
                let program = world.service(which).program();
                program.signal(Signal::SIGSTOP);
                sleep(self.lasting).await;
                program.signal(Signal::SIGCONT);
            }
            Fault::RedisLink(which, weather) => {
                let link = &world.service(which).to_redis;
                link.set(weather);
                sleep(self.lasting).await;
                link.set(Weather::Fair);
            }
            Fault::ClientLink(which, weather) => {
                let link = &world.service(which).to_clients;
                link.set(weather);
                sleep(self.lasting).await;
                link.set(Weather::Fair);
            }
        }
    }
}

impl World {
    fn service(&mut self, which: Which) -> &mut Service {
        match which {
            Which::Admin => &mut self.admin,
            Which::User => &mut self.user,
        }
    }
}
