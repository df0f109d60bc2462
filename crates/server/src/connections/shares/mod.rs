//! The limits on the number of connections: of the process, and of one address.
//!
//! A newcomer at a limit takes the place of an idle connection, so a flood of connections on which
//! nothing is called keeps no client out.
//!
//! - At the limit of an address, an idle connection of that address is closed.
//! - At the limit of the process, an idle connection of the address that holds the most is closed.
//!
//! Connections that never had a call are closed first, then the one that has been idle longest. If
//! none is idle, the newcomer is closed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{AbortHandle, AbortRegistration};
use tokio::time::Instant;

use crate::connections::activity::Activity;

/// Those who share a limit: an IPv4 address, or an IPv6 /64, of which one host can use each
/// address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Share(IpAddr);

impl Share {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// The open connections of one listener.
#[derive(Debug)]
pub(super) struct Shares {
    max: usize,
    /// 0 = no limit.
    max_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    next_id: u64,
    by_share: HashMap<Share, Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    activity: Arc<Activity>,
    task: AbortHandle,
}

/// The place of one open connection. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    shares: Arc<Shares>,
    share: Share,
    id: u64,
}

/// How the number of connections of an address is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limited {
    PerAddress,
    /// A trusted proxy, whose connections carry the calls of many clients.
    OnlyInTotal,
}

impl Shares {
    pub(super) fn new(max: u32, max_per_address: u32) -> Arc<Self> {
        Arc::new(Self {
            max: max as usize,
            max_per_address: max_per_address as usize,
            open: Mutex::default(),
        })
    }

    /// Gives a new connection a place, and the registration by which its task is aborted if the
    /// place goes to another one. Returns `None` if there is no place.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        limited: Limited,
        activity: Arc<Activity>,
    ) -> Option<(Place, AbortRegistration)> {
        let share = Share::of(address);
        let mut open = self.lock();
        if !self.has_room(&mut open, share, limited) {
            return None;
        }
        if open.count >= self.max && !open.close_idle_of_largest() {
            return None;
        }
        let id = open.next_id;
        open.next_id += 1;
        let (task, registration) = AbortHandle::new_pair();
        open.add(share, Entry { id, activity, task });
        let shares = Arc::clone(self);
        Some((Place { shares, share, id }, registration))
    }

    /// Whether the share has room for one more, if need be because an idle one was closed.
    fn has_room(&self, open: &mut Open, share: Share, limited: Limited) -> bool {
        let held = open.by_share.get(&share).map_or(0, Vec::len);
        limited == Limited::OnlyInTotal
            || self.max_per_address == 0
            || held < self.max_per_address
            || open.close_idle_of(share)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn add(&mut self, share: Share, entry: Entry) {
        self.count += 1;
        self.by_share.entry(share).or_default().push(entry);
    }

    /// Returns the connection if it is still open.
    fn remove(&mut self, share: Share, id: u64) -> Option<Entry> {
        let entries = self.by_share.get_mut(&share)?;
        let index = entries.iter().position(|entry| entry.id == id)?;
        let entry = entries.swap_remove(index);
        if entries.is_empty() {
            self.by_share.remove(&share);
        }
        self.count -= 1;
        Some(entry)
    }

    fn close_idle_of_largest(&mut self) -> bool {
        let with_idle = self
            .by_share
            .iter()
            .filter(|(_, entries)| entries.iter().any(|entry| entry.idle_since().is_some()));
        let largest = with_idle.max_by_key(|(_, entries)| entries.len());
        match largest.map(|(share, _)| *share) {
            Some(share) => self.close_idle_of(share),
            None => false,
        }
    }

    fn close_idle_of(&mut self, share: Share) -> bool {
        let entries = self.by_share.get(&share).map_or(&[][..], Vec::as_slice);
        let idle = entries
            .iter()
            .filter_map(|entry| Some((entry, entry.idle_since()?)));
        let first = idle.min_by_key(|(entry, since)| (entry.activity.has_called(), *since));
        let Some(id) = first.map(|(entry, _)| entry.id) else {
            return false;
        };
        if let Some(entry) = self.remove(share, id) {
            entry.task.abort();
        }
        true
    }
}

impl Entry {
    fn idle_since(&self) -> Option<Instant> {
        self.activity.idle_since()
    }
}

impl Place {
    /// Counts the connection for this client instead of the proxy from which it came. Returns false
    /// if the client has no place left.
    pub(super) fn move_to(&mut self, client: IpAddr) -> bool {
        let share = Share::of(client);
        let mut open = self.shares.lock();
        let Some(entry) = open.remove(self.share, self.id) else {
            // It was closed for another one a moment ago.
            return false;
        };
        if !self.shares.has_room(&mut open, share, Limited::PerAddress) {
            return false;
        }
        open.add(share, entry);
        self.share = share;
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shares.lock().remove(self.share, self.id);
    }
}

#[cfg(test)]
mod tests;
