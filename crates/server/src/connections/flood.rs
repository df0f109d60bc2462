//! Counts the frames that cost the server work and carry no call, and detects a flood of them.
//!
//! h2 limits CONTINUATION frames, and streams that are reset before they are accepted. It
//! acknowledges PING and SETTINGS without a limit, and accepts PRIORITY, `WINDOW_UPDATE` and
//! unknown frames.
//!
//! An honest client sends such frames for its calls: one PING per round trip in which data arrives
//! (grpc-go, grpc-java and gRPC C++ measure the bandwidth that way), `WINDOW_UPDATE`s for what it
//! received, `RST_STREAM` for a call that it gives up. Each new call and each 256 bytes that the
//! server sends therefore increase the budget. A client without calls may send 1,000 such frames a
//! second after the first 2,000. For comparison, nghttp2 allows 1,000 resets and then 33 a second,
//! and Envoy 1,000 unsent replies to control frames.

use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

/// The length of `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;

/// The budget of a new connection, and the most that is saved up.
const MAX_BUDGET: u32 = 2_000;
const BUDGET_PER_SECOND: u32 = 1_000;

/// What a HEADERS frame adds: a short message, a PING, two `WINDOW_UPDATE`s, and one more.
const PER_CALL: u32 = 5;
/// Bytes sent per unit of budget. The acknowledgement of a PING has 17, so a flood of PINGs does
/// not pay for itself. A DATA frame with fewer bytes costs a unit.
const BYTES_PER_UNIT: usize = 256;
/// A reset costs more than the HEADERS frame before it brought. Calls that are reset at once pass
/// by the limit of concurrent streams, and each costs as much as a short call.
const PER_RESET: u32 = PER_CALL + 1;

/// A client sent more control frames than its calls explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many control frames")]
pub(super) struct Flood;

/// Follows the frames of one connection.
#[derive(Debug)]
pub(super) struct FloodDetector {
    preface_bytes_left: usize,
    frame_header: [u8; FRAME_HEADER_BYTES],
    frame_header_len: usize,
    payload_bytes_left: usize,
    has_greeted: bool,
    bytes_sent: usize,
    budget: u32,
    budget_as_of: Instant,
}

impl FloodDetector {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            preface_bytes_left: PREFACE_BYTES,
            frame_header: [0; FRAME_HEADER_BYTES],
            frame_header_len: 0,
            payload_bytes_left: 0,
            has_greeted: false,
            bytes_sent: 0,
            budget: MAX_BUDGET,
            budget_as_of: now,
        }
    }

    /// Whether the client has sent the preface and the head of a first frame, of which h2 requires
    /// that it be SETTINGS.
    pub(super) fn has_greeted(&self) -> bool {
        self.has_greeted
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes_sent += bytes;
        let units = self.bytes_sent / BYTES_PER_UNIT;
        self.bytes_sent %= BYTES_PER_UNIT;
        self.add(u32::try_from(units).unwrap_or(u32::MAX));
    }

    /// Follows the next bytes that the client sent. `now` is called only if the budget is empty.
    pub(super) fn received(
        &mut self,
        mut bytes: &[u8],
        now: impl Fn() -> Instant,
    ) -> Result<(), Flood> {
        skip(&mut bytes, &mut self.preface_bytes_left);
        while !bytes.is_empty() {
            if self.payload_bytes_left > 0 {
                skip(&mut bytes, &mut self.payload_bytes_left);
                continue;
            }
            let missing = FRAME_HEADER_BYTES - self.frame_header_len;
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            let end = self.frame_header_len + head.len();
            self.frame_header[self.frame_header_len..end].copy_from_slice(head);
            self.frame_header_len = end;
            bytes = rest;
            if end == FRAME_HEADER_BYTES {
                self.frame_header_len = 0;
                self.has_greeted = true;
                self.frame(&now)?;
            }
        }
        Ok(())
    }

    fn frame(&mut self, now: impl Fn() -> Instant) -> Result<(), Flood> {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        const RST_STREAM: u8 = 3;
        const PADDED: u8 = 8;
        let [a, b, c, kind, flags, ..] = self.frame_header;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        self.payload_bytes_left = length;
        match kind {
            HEADERS => {
                self.add(PER_CALL);
                Ok(())
            }
            DATA if length >= BYTES_PER_UNIT && flags & PADDED == 0 => Ok(()),
            RST_STREAM => self.take(PER_RESET, now),
            _ => self.take(1, now),
        }
    }

    fn add(&mut self, units: u32) {
        self.budget = self.budget.saturating_add(units).min(MAX_BUDGET);
    }

    fn take(&mut self, units: u32, now: impl Fn() -> Instant) -> Result<(), Flood> {
        if self.budget < units {
            self.refill(now());
        }
        self.budget = self.budget.checked_sub(units).ok_or(Flood)?;
        Ok(())
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.budget_as_of);
        let units = elapsed.as_millis() * u128::from(BUDGET_PER_SECOND) / 1_000;
        self.add(u32::try_from(units).unwrap_or(u32::MAX));
        // Not `now`: what is left of a millisecond must not be lost.
        let whole = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.budget_as_of += Duration::from_millis(whole);
    }
}

/// Drops as many of the bytes as are left to skip.
fn skip(bytes: &mut &[u8], left: &mut usize) {
    let skipped = bytes.len().min(*left);
    *bytes = &bytes[skipped..];
    *left -= skipped;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PREFACE: &[u8; PREFACE_BYTES] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
        [&head[..], payload].concat()
    }

    /// Returns how many of these frames a new connection may send at one moment; `None` = any.
    fn frames_until_flood(frames: &[Vec<u8>]) -> Option<usize> {
        let now = Instant::now();
        let mut detector = FloodDetector::new(now);
        detector.received(PREFACE, || now).expect("no flood");
        let frames = frames.iter().cycle().take(20_000);
        frames
            .enumerate()
            .find_map(|(n, frame)| detector.received(frame, || now).is_err().then_some(n))
    }

    #[test]
    fn a_flood_of_any_control_frame_is_detected() {
        // All types but HEADERS, and some that do not exist.
        for kind in [0].into_iter().chain(2..=20).chain([255]) {
            let limit = if kind == 3 {
                MAX_BUDGET / PER_RESET
            } else {
                MAX_BUDGET
            };
            let flood = frames_until_flood(&[frame(kind, 0, &[0; 8])]);
            assert_eq!(flood, Some(limit as usize), "frame type {kind}");
        }
        for data in [frame(0, 0, b""), frame(0, 1, b""), frame(0, 8, &[255; 256])] {
            assert!(frames_until_flood(&[data]).is_some());
        }
    }

    #[test]
    fn calls_that_are_reset_at_once_are_a_flood() {
        let call = [frame(1, 4, b"headers"), frame(3, 0, &[0; 4])];
        assert!(frames_until_flood(&call).is_some());
        let message = frame(0, 1, &[0; BYTES_PER_UNIT]);
        let with_message = [frame(1, 4, b"headers"), message, frame(3, 0, &[0; 4])];
        assert!(frames_until_flood(&with_message).is_some());
    }

    #[test]
    fn calls_with_a_ping_and_window_updates_each_are_no_flood() {
        let update = frame(8, 0, &[0; 4]);
        let call = [frame(1, 4, b"headers"), frame(0, 1, b"message")];
        let call = [
            &call[..],
            &[frame(PING, 0, &[0; 8]), update.clone(), update],
        ]
        .concat();
        assert_eq!(frames_until_flood(&call), None);
    }

    #[test]
    fn the_budget_grows_with_time_and_with_what_the_server_sends() {
        let start = Instant::now();
        let mut detector = FloodDetector::new(start);
        detector.received(PREFACE, || start).expect("no flood");
        let ping = frame(PING, 0, &[0; 8]);
        let pings = ping.repeat(MAX_BUDGET as usize);
        detector
            .received(&pings, || start)
            .expect("within the budget");
        let later = start + Duration::from_secs(1);
        let pings = ping.repeat(BUDGET_PER_SECOND as usize);
        detector.received(&pings, || later).expect("refilled");
        detector.sent(10 * BYTES_PER_UNIT);
        detector
            .received(&ping.repeat(10), || later)
            .expect("10 more");
        assert_eq!(detector.received(&ping, || later), Err(Flood));
    }

    #[test]
    fn the_greeting_ends_with_the_head_of_the_first_frame() {
        let now = Instant::now();
        let mut detector = FloodDetector::new(now);
        let greeting = [&PREFACE[..], &frame(SETTINGS, 0, b"")].concat();
        let (last, before) = greeting.split_last().expect("not empty");
        detector.received(before, || now).expect("no flood");
        assert!(!detector.has_greeted());
        detector.received(&[*last], || now).expect("no flood");
        assert!(detector.has_greeted());
    }

    proptest! {
        #[test]
        fn the_size_of_the_reads_does_not_matter(
            frames in prop::collection::vec((0..10_u8, 0..16_u8, 0..40_usize), 0..600),
            size in 1..100_usize,
        ) {
            let now = Instant::now();
            let mut bytes = PREFACE.to_vec();
            for (kind, flags, length) in frames {
                bytes.extend(frame(kind, flags, &vec![0; length]));
            }
            let mut at_once = FloodDetector::new(now);
            let whole = at_once.received(&bytes, || now);
            let mut in_parts = FloodDetector::new(now);
            let parts = bytes.chunks(size).try_for_each(|part| in_parts.received(part, || now));
            prop_assert_eq!(whole, parts);
            prop_assert_eq!(at_once.budget, in_parts.budget);
        }
    }
}
