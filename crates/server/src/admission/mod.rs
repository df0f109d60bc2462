//! The limits that all connections share, and the share of each connection.
//!
//! [`Admission`] has a pool of places for each [`Use`]. A connection may hold an eighth of what is
//! free in the pool, so the share of each shrinks while the pool fills. Switches divide their
//! buffers by such a rule, the dynamic threshold of Choudhury and Hahne. A connection that holds
//! nothing may take half of what is free, so that a single large page always fits.
//!
//! A [`Place`] frees itself when it is dropped. While places are refused, connections whose clients
//! do not read are closed after seconds: see [`Admission::must_close`].

mod connection;
mod pressure;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use self::connection::ConnectionUsage;

use self::connection::UNREAD_TIMEOUT;
use self::pressure::Pressure;

use crate::connections::ClientConnection;

/// The bytes of a message or a response that one place of [`Use::Call`] or [`Use::Message`] covers.
const PLACE_BYTES: usize = 8 * 1024;

/// The places for messages that arrive, so for calls that no message has come for yet: 16 MiB if
/// each holds as much of a message as it covers. A call whose message came with its headers holds
/// one for a moment, so there are as many as there are places for calls by default.
const MESSAGES: u32 = 2048;

/// The places for streams. A Watch takes one and some 5 KiB.
const STREAMS: u32 = 1024;

/// The most streams of one connection. A gRPC client opens one Watch per connection.
const STREAMS_PER_CONNECTION: u32 = 32;

/// The places for responses that have not been written to the socket: at most 16 MiB.
const RESPONSES: u32 = 2048;

/// The responses of one connection that always get a place. So a flood of clients that do not read
/// takes nothing from a client that reads; all connections together exceed the pool by 16,000 small
/// responses at most.
const OWN_RESPONSES: u32 = 8;

/// How long a client may leave its responses unread while others are refused for want of places.
/// Twice the time after which a probe of Kubernetes or a mesh has failed.
const UNREAD_TIMEOUT_UNDER_PRESSURE: Duration = Duration::from_secs(2);

/// The part of a pool that one connection may hold, of what is free.
const SHARE: u32 = 8;

/// What a place is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A call, from its complete message until it has a response.
    Call,
    /// A message from the arrival of its headers until it is complete.
    Message,
    /// A Watch of health, or a stream of reflection.
    Stream,
    /// A response, until it has been written to the socket. The responses of a stream have the place
    /// of the stream.
    Response,
}

/// The number of variants of [`Use`].
const USES: usize = 4;

/// The pools of the process.
#[derive(Debug)]
pub(crate) struct Admission {
    pools: [Pool; USES],
    pressure: Pressure,
}

#[derive(Debug)]
struct Pool {
    capacity: u32,
    per_connection: u32,
    used: AtomicU32,
}

/// One or more places of one pool, which are freed when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    connection: ClientConnection,
    purpose: Use,
    size: u32,
}

/// Returns the places that a call or a message with this many bytes takes.
pub(crate) fn places_for(bytes: usize) -> u32 {
    u32::try_from(bytes / PLACE_BYTES).map_or(u32::MAX, |more| more.saturating_add(1))
}

impl Admission {
    pub(crate) fn new(calls: u32) -> Arc<Self> {
        let pool = |capacity, per_connection| Pool {
            capacity,
            per_connection,
            used: AtomicU32::new(0),
        };
        // In the order of the variants of `Use`.
        let pools = [
            pool(calls, calls),
            pool(MESSAGES, MESSAGES),
            pool(STREAMS, STREAMS_PER_CONNECTION),
            pool(RESPONSES, RESPONSES),
        ];
        Arc::new(Self {
            pools,
            pressure: Pressure::default(),
        })
    }

    /// Takes places for a connection; `None` if its share or the pool is used up.
    pub(crate) fn take(
        self: &Arc<Self>,
        purpose: Use,
        size: u32,
        connection: &ClientConnection,
    ) -> Option<Place> {
        let mut place = self.no_place(purpose, connection);
        place.try_resize(size).then_some(place)
    }

    fn no_place(self: &Arc<Self>, purpose: Use, connection: &ClientConnection) -> Place {
        Place {
            admission: Arc::clone(self),
            connection: connection.clone(),
            purpose,
            size: 0,
        }
    }

    /// Takes the places of a response, beyond the share of the connection if the response is of a
    /// change, which must not fail any more, or if it is one of a few small ones.
    fn take_response(
        self: &Arc<Self>,
        size: u32,
        connection: &ClientConnection,
        is_change: bool,
    ) -> Option<Place> {
        let mut place = self.no_place(Use::Response, connection);
        if !place.try_resize(size) {
            let held = connection.usage().held(Use::Response).load(Relaxed);
            if !is_change && held.saturating_add(size) > OWN_RESPONSES {
                return None;
            }
            place.resize(size);
        }
        Some(place)
    }

    /// Takes the place of an error, or of a response of health. Without one the client does not read
    /// its responses, so its connection is closed.
    pub(crate) fn take_for_response(
        self: &Arc<Self>,
        connection: &ClientConnection,
    ) -> Option<Place> {
        let place = self.take_response(1, connection, false);
        if place.is_none() {
            connection.usage().overdraw();
        }
        place
    }

    /// Completes when the connection has to be closed, because its client does not read. That is
    /// the case after [`ConnectionUsage::overdraw`], if responses wait and none could be written for
    /// 30 to 45 s, and after 2 s if others are refused for want of places. HTTP/2 gives the
    /// server no way to take back the end of a response.
    pub(crate) async fn must_close(&self, connection: &ConnectionUsage) {
        loop {
            let timeout = tokio::select! {
                () = connection.overdrawn() => return,
                () = self.pressure.rises() => UNREAD_TIMEOUT_UNDER_PRESSURE,
                () = sleep(UNREAD_TIMEOUT / 2) => UNREAD_TIMEOUT,
            };
            if connection.has_stalled(timeout) {
                return;
            }
        }
    }
}

impl Pool {
    /// Whether a connection that holds some places may take more, of which `own` belong to the call
    /// that asks.
    fn admits(&self, held: u32, own: u32, more: u32) -> bool {
        let free = self.capacity.saturating_sub(self.used.load(Relaxed));
        let after = held.saturating_add(more);
        if after > self.per_connection || more > free {
            return false;
        }
        let holds_nothing_else = held == own;
        after <= free / SHARE || (holds_nothing_else && more <= free.div_ceil(2))
    }

    fn is_nearly_full(&self) -> bool {
        self.used.load(Relaxed) > self.capacity / 2
    }
}

impl Place {
    /// Changes the number of places. Returns false, and changes nothing, if there are too few.
    pub(crate) fn try_resize(&mut self, size: u32) -> bool {
        let more = size.saturating_sub(self.size);
        if more > 0 {
            let pool = &self.admission.pools[self.purpose as usize];
            let held = self.connection.usage().held(self.purpose).load(Relaxed);
            if !pool.admits(held, self.size, more) {
                if pool.is_nearly_full() {
                    self.admission.pressure.rise(Instant::now());
                }
                return false;
            }
        }
        self.resize(size);
        true
    }

    /// Turns the place of a call into the places of its response; `None` if there are too few. The
    /// response of a change always gets them.
    pub(crate) fn into_response(self, size: u32, is_change: bool) -> Option<Self> {
        self.admission
            .take_response(size, &self.connection, is_change)
    }

    /// Changes the number of places, beyond the capacity of the pool if necessary.
    fn resize(&mut self, size: u32) {
        let pool = &self.admission.pools[self.purpose as usize];
        let held = self.connection.usage().held(self.purpose);
        for count in [&pool.used, held] {
            // Both wrap, so that a smaller size is subtracted.
            count.fetch_add(size.wrapping_sub(self.size), Relaxed);
        }
        self.size = size;
    }

    pub(crate) fn connection(&self) -> &ClientConnection {
        &self.connection
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests;
