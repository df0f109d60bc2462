//! Faults of Redis, services and networks, in an order that a seed repeats.

use std::fmt;
use std::iter::repeat_with;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use testkit::Random;
use testkit::proxy::Network;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::world::{Service, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceName {
    Admin,
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Kills Redis, and restarts it afterwards.
    KillRedis,
    /// Stops Redis with SIGSTOP, and continues it afterwards.
    FreezeRedis,
    /// Lets Redis refuse writes, because `maxmemory` is less than the memory in use.
    FillMemory,
    /// Kills a service, and restarts it afterwards.
    Kill(ServiceName),
    /// Stops a service with SIGSTOP, and continues it afterwards.
    Freeze(ServiceName),
    /// Moves the clock of a running service by this many hours. The service is restarted before,
    /// with the library that moves clocks, and afterwards.
    MoveClock(ServiceName, i8),
    /// Breaks the network between a service and Redis.
    RedisLink(ServiceName, Network),
    /// Breaks the network between clients and a service.
    ClientLink(ServiceName, Network),
}

/// One fault of a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// The time without a fault before it.
    pub delay: Duration,
    pub fault: Fault,
    pub duration: Duration,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (delay, duration) = (self.delay.as_millis(), self.duration.as_millis());
        write!(f, "after {delay} ms {:?} for {duration} ms", self.fault)
    }
}

/// The endless faults of this seed. Every kind occurs once before a kind occurs again.
pub fn schedule(seed: u64) -> impl Iterator<Item = Event> {
    let mut random = Random::new(seed);
    let mut remaining = Vec::new();
    repeat_with(move || {
        if remaining.is_empty() {
            remaining = all_faults();
        }
        let index = random.below(remaining.len());
        Event {
            delay: Duration::from_millis(random.within(500..2_500)),
            fault: remaining.swap_remove(index),
            duration: Duration::from_millis(random.within(50..1_500)),
        }
    })
}

/// The library that moves the clock of a program, if it is installed (Debian: `libfaketime`).
#[must_use]
pub fn faketime() -> Option<&'static str> {
    let paths = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    ];
    paths.into_iter().find(|path| Path::new(path).exists())
}

/// Every kind of fault that is possible on this machine.
fn all_faults() -> Vec<Fault> {
    let mut all = vec![Fault::KillRedis, Fault::FreezeRedis, Fault::FillMemory];
    let networks = [
        Network::ResponsesLost,
        Network::Cut,
        Network::Stalled,
        Network::Delayed(Duration::from_millis(40)),
    ];
    for service in [ServiceName::Admin, ServiceName::User] {
        if faketime().is_some() {
            all.extend([Fault::MoveClock(service, 1), Fault::MoveClock(service, -1)]);
        }
        all.extend([Fault::Kill(service), Fault::Freeze(service)]);
        for network in networks {
            all.push(Fault::RedisLink(service, network));
            all.push(Fault::ClientLink(service, network));
        }
    }
    all
}

impl Event {
    /// Waits, lets the fault happen, and repairs it.
    pub async fn run(self, world: &mut World) {
        sleep(self.delay).await;
        match self.fault {
            Fault::KillRedis | Fault::FreezeRedis | Fault::FillMemory => {
                self.break_redis(world).await;
            }
            Fault::Kill(name) | Fault::Freeze(name) | Fault::MoveClock(name, _) => {
                self.break_service(world.service(name)).await;
            }
            Fault::RedisLink(name, network) => {
                let link = &world.service(name).to_redis.proxy;
                link.set(network);
                sleep(self.duration).await;
                link.set(Network::Normal);
            }
            Fault::ClientLink(name, network) => {
                let link = &world.service(name).to_clients.proxy;
                link.set(network);
                sleep(self.duration).await;
                link.set(Network::Normal);
            }
        }
    }

    async fn break_redis(self, world: &mut World) {
        match self.fault {
            Fault::KillRedis => {
                world.redis.kill();
                sleep(self.duration).await;
                block_in_place(|| world.redis.restart()).expect("Redis restarts");
            }
            Fault::FreezeRedis => {
                block_in_place(|| world.redis.freeze()).expect("Redis stops");
                sleep(self.duration).await;
                world.redis.thaw().expect("Redis continues");
            }
            _ => {
                let set = async |maxmemory| {
                    let command = ["CONFIG", "SET", "maxmemory", maxmemory];
                    world.redis.root::<()>(&command).await;
                };
                set("1").await;
                sleep(self.duration).await;
                set("0").await;
            }
        }
    }

    async fn break_service(self, service: &mut Service) {
        match self.fault {
            Fault::Freeze(_) => {
                service.signal(Signal::SIGSTOP);
                sleep(self.duration).await;
                service.signal(Signal::SIGCONT);
            }
            Fault::MoveClock(_, hours) => {
                let library = faketime().expect("the schedule found it");
                service.kill().await;
                service.start_with_clock(library).await;
                sleep(self.duration).await;
                service.move_clock(hours).await;
                sleep(self.duration).await;
                service.kill().await;
                service.start().await;
            }
            _ => {
                service.kill().await;
                sleep(self.duration).await;
                service.start().await;
            }
        }
    }
}

impl World {
    fn service(&mut self, name: ServiceName) -> &mut Service {
        match name {
            ServiceName::Admin => &mut self.admin,
            ServiceName::User => &mut self.user,
        }
    }
}
